"""What `make wheel` built, installed away from the clone and used there."""
