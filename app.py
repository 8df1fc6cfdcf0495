"""The front door: `python app.py` serves the page, here and as a Space."""

from playground.ui.page import main

if __name__ == "__main__":
    main()
