"""A desk: a PC of a committee, a street or the city, in steps as a person takes them."""

from tests.e2e.screen import Screen


class Desk(Screen):
    """A wide window with a mouse."""

    size = (1280, 800)
    is_phone = False
