// Tables that sort when a heading is pressed, and show the rows that hold what one types.
"use strict";

function cellKey(row, column) {
  const cell = row.cells[column];
  const text = cell.dataset.value ?? cell.textContent.trim();
  const number = Number(text.replace("\u2212", "-"));
  return text !== "" && !Number.isNaN(number) ? number : text.toLowerCase();
}

// Numbers before texts, so that the order is one whatever a column holds.
function compareKeys(a, b) {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function sortBy(heading) {
  const body = heading.closest("table").tBodies[0];
  const column = heading.cellIndex;
  const isDescending = heading.getAttribute("aria-sort") === "ascending";
  const sign = isDescending ? -1 : 1;
  const keyed = [...body.rows].map((row) => [cellKey(row, column), row]);
  keyed.sort((a, b) => sign * compareKeys(a[0], b[0]));
  for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
  body.append(...keyed.map(([, row]) => row));
}

// Every word must be in the row; where a column is chosen by a list, it must be that cell.
function filterRows(form) {
  const table = document.getElementById(form.dataset.table);
  const words = form.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);
  const choices = [...form.querySelectorAll("select")].filter((choice) => choice.value !== "");
  let shown = 0;
  for (const row of table.tBodies[0].rows) {
    const text = row.textContent.toLowerCase();
    const fits = (choice) => row.cells[choice.dataset.column].textContent.trim() === choice.value;
    row.hidden = !(words.every((word) => text.includes(word)) && choices.every(fits));
    if (!row.hidden) shown += 1;
  }
  const total = table.tBodies[0].rows.length;
  form.querySelector("output").textContent =
    shown === total ? `${total} rows` : `${shown} of ${total} rows`;
}

for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => sortBy(button.closest("th")));
}
for (const form of document.querySelectorAll("form.filter")) {
  form.addEventListener("input", () => filterRows(form));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false; // useless without this script, hence hidden until here
  filterRows(form);
}
