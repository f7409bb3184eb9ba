"""What a customer does on their own page."""

from .pages import Form, Page
from .person import Person


def open_account(person: Person) -> Page:
    """Opens the customer's page, signing in where that is asked for."""
    page = person.visit(person.server.base + "/account")
    if page.sign_in_form:
        page = person.sign_in(page)
    assert page.status == 200, page
    assert person.account.email in page.text, page
    return page


def form_to(page: Page, path: str, button: str | None = None) -> Form:
    """The form of a page that goes to a path, and has a button of this value or text."""
    for form in page.forms:
        fits = button is None or any(button in (value, text) for _, value, text in form.buttons)
        if form.action.split("?")[0].endswith(path) and fits:
            return form
    raise AssertionError(f"no form goes to {path}: {page!r}")


def disconnect_links(page: Page) -> list[str]:
    return [link for link in page.links if "/account/disconnect?connection=" in link]


def disconnect(person: Person, link: str) -> Page:
    """Follows a link to the question, says yes, and returns the page after it."""
    asked = person.visit(link)
    return person.follow(person.submit(form_to(asked, "/account/disconnect"), button="Disconnect"))


def sign_out(person: Person, page: Page | None = None) -> Page:
    page = page or open_account(person)
    return person.follow(person.submit(form_to(page, "/account/sign-out")))


def change_password(person: Person, current: str, new: str, again: str | None = None, others: bool = True) -> Page:
    page = person.visit(person.server.base + "/account/password")
    form = form_to(page, "/account/password")
    if not others:
        form.fields.pop("others")
    values = {"current": current, "new": new, "again": new if again is None else again}
    if len(new) >= 12:
        # A shorter one is a word that may stand anywhere.
        person.server.canaries.add("password", new)
    return person.follow(person.submit(form, values))
