// Discrete Fourier transforms of 2, 3, 4, 5, 7 and 8 samples, of eight rows at once, in place and
// in order, with exp(-2 pi i j k / n).
#pragma once

#include "lanes.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

template <class T>
MRIRECON_HD void add_and_subtract(Lanes<T>& a, Lanes<T>& b) {
  const Lanes<T> sum = a + b;
  b = a - b;
  a = sum;
}

template <class T>
MRIRECON_HD void transform(Lanes<T> (&x)[2]) {
  add_and_subtract(x[0], x[1]);
}

template <class T>
MRIRECON_HD void transform(Lanes<T> (&x)[3]) {
  const T sin60 = T(0.866025403784438646763723170752936);
  const Lanes<T> sum = x[1] + x[2], difference = sin60 * (x[1] - x[2]);
  const Lanes<T> middle = add_scaled(x[0], T(-0.5), sum);
  x[0] = x[0] + sum;
  x[1] = subtract_turned(middle, difference);
  x[2] = add_turned(middle, difference);
}

template <class T>
MRIRECON_HD void transform(Lanes<T>& a, Lanes<T>& b, Lanes<T>& c, Lanes<T>& d) {
  add_and_subtract(a, c);
  add_and_subtract(b, d);
  add_and_subtract(a, b);
  const Lanes<T> first = subtract_turned(c, d), third = add_turned(c, d);
  c = b;
  b = first;
  d = third;
}

template <class T>
MRIRECON_HD void transform(Lanes<T> (&x)[4]) {
  transform(x[0], x[1], x[2], x[3]);
}

template <class T>
MRIRECON_HD void transform(Lanes<T> (&x)[5]) {
  const T cos72 = T(0.309016994374947424102293417182819);
  const T cos144 = T(-0.809016994374947424102293417182819);
  const T sin72 = T(0.951056516295153572116439333379382);
  const T sin144 = T(0.587785252292473129168705954639073);
  const Lanes<T> outer = x[1] + x[4], inner = x[2] + x[3];
  const Lanes<T> outer_difference = x[1] - x[4], inner_difference = x[2] - x[3];
  const Lanes<T> even1 = add_scaled(add_scaled(x[0], cos72, outer), cos144, inner);
  const Lanes<T> even2 = add_scaled(add_scaled(x[0], cos144, outer), cos72, inner);
  const Lanes<T> odd1 = add_scaled(sin72 * outer_difference, sin144, inner_difference);
  const Lanes<T> odd2 = add_scaled(sin144 * outer_difference, -sin72, inner_difference);
  x[0] = x[0] + (outer + inner);
  x[1] = subtract_turned(even1, odd1);
  x[2] = subtract_turned(even2, odd2);
  x[3] = add_turned(even2, odd2);
  x[4] = add_turned(even1, odd1);
}

template <class T>
MRIRECON_HD void transform(Lanes<T> (&x)[7]) {
  const T cos1 = T(0.623489801858733530525004884004240);  // of 360 / 7 degrees, twice and thrice
  const T cos2 = T(-0.222520933956314404288902564496795);
  const T cos3 = T(-0.900968867902419126236102319507445);
  const T sin1 = T(0.781831482468029808708444526674058);
  const T sin2 = T(0.974927912181823607018131682993932);
  const T sin3 = T(0.433883739117558120475768332848359);
  const Lanes<T> a = x[1] + x[6], b = x[2] + x[5], c = x[3] + x[4];
  const Lanes<T> d = x[1] - x[6], e = x[2] - x[5], f = x[3] - x[4];
  const Lanes<T> even1 = add_scaled(add_scaled(add_scaled(x[0], cos1, a), cos2, b), cos3, c);
  const Lanes<T> even2 = add_scaled(add_scaled(add_scaled(x[0], cos2, a), cos3, b), cos1, c);
  const Lanes<T> even3 = add_scaled(add_scaled(add_scaled(x[0], cos3, a), cos1, b), cos2, c);
  const Lanes<T> odd1 = add_scaled(add_scaled(sin1 * d, sin2, e), sin3, f);
  const Lanes<T> odd2 = add_scaled(add_scaled(sin2 * d, -sin3, e), -sin1, f);
  const Lanes<T> odd3 = add_scaled(add_scaled(sin3 * d, -sin1, e), sin2, f);
  x[0] = x[0] + (a + (b + c));
  x[1] = subtract_turned(even1, odd1);
  x[2] = subtract_turned(even2, odd2);
  x[3] = subtract_turned(even3, odd3);
  x[4] = add_turned(even3, odd3);
  x[5] = add_turned(even2, odd2);
  x[6] = add_turned(even1, odd1);
}

// Two transforms of four, of the even and of the odd samples; the odd ones are turned by
// exp(-i pi k / 4) and added.
template <class T>
MRIRECON_HD void transform(Lanes<T> (&x)[8]) {
  const T sin45 = T(0.707106781186547524400844362104849);
  Lanes<T> even[4] = {x[0], x[2], x[4], x[6]}, odd[4] = {x[1], x[3], x[5], x[7]};
  transform(even);
  transform(odd);
  odd[1] = sin45 * subtract_turned(odd[1], odd[1]);
  const Lanes<T> third = sin45 * add_turned(odd[3], odd[3]);  // by 45 degrees, not -135
  x[0] = even[0] + odd[0];
  x[1] = even[1] + odd[1];
  x[2] = subtract_turned(even[2], odd[2]);
  x[3] = even[3] - third;
  x[4] = even[0] - odd[0];
  x[5] = even[1] - odd[1];
  x[6] = add_turned(even[2], odd[2]);
  x[7] = even[3] + third;
}

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
