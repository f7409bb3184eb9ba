"""What the black-box tests are written with: a server process, a person at a browser, a partner's client."""
