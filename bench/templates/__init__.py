"""What `python -m bench new` begins with: working files, whose names `my_...` and `My...` become those of the user."""
