"""The gatherings of the demo: who hosts them, who comes in which order, and what is said."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Place:
    """Where people meet."""

    address: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    city: str | None = "Kraków"
    country: str | None = "Poland"


ONLINE = Place(city=None, country=None)

LIBRARY = Place("Rajska 1", 50.0647, 19.9263)
CAFE = Place("Plac Nowy 4", 50.0517, 19.9453)
PARK = Place("Planty, by the Barbican", 50.0655, 19.9416)
WORKSHOP = Place("Lipowa 3", 50.0481, 19.9611)
CLIMBING = Place("Zabłocie 25", 50.0489, 19.9667)
CLUBHOUSE = Place("Bulwar Kurlandzki 2", 50.0478, 19.9525)


@dataclass(frozen=True)
class Gathering:
    """One gathering.

    host, guests, gone: keys of people; guests in the order in which they ask, gone those who leave again.
    ahead: how long from now it starts. max: places, the host's included; None is unlimited. said: by whom, what.
    """

    title: str
    description: str
    host: str
    place: Place
    ahead: timedelta
    hours: int
    max: int | None
    tags: tuple[str, ...]
    category: str | None = None
    guests: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    said: tuple[tuple[str, str], ...] = ()


CATEGORIES = {
    "games": ("Games", "Spiele", "Gry"),
    "outdoors": ("Outdoors", "Draußen", "Na świeżym powietrzu"),
    "making": ("Making and mending", "Basteln und Reparieren", "Majsterkowanie"),
    "learning": ("Learning", "Lernen", "Nauka"),
    "culture": ("Culture", "Kultur", "Kultura"),
    "food": ("Food", "Essen", "Jedzenie"),
}
"""The categories of the community by slug, with their names in English, German and Polish."""


def _days(days: float) -> timedelta:
    return timedelta(days=days)


GATHERINGS = (
    Gathering(
        title="Board games by the window",
        description="Short games first, one long one after. Beginners sit next to somebody patient.",
        host="nora",
        place=CAFE,
        ahead=_days(2),
        hours=4,
        max=8,
        tags=("games", "beginners"),
        category="games",
        guests=("milo", "amara", "bruno", "chiara", "daniel", "elif", "felix", "gosia", "hana", "ivan"),
        said=(
            ("nora", "I bring Carcassonne and a pile of card games. What else?"),
            ("bruno", "Azul, if nobody has it yet."),
            ("amara", "Can I bring my sister? She is quick to learn."),
            ("nora", "We are full already, but put her on the waitlist: somebody always drops out."),
            ("elif", "I will be ten minutes late, start without me."),
            ("chiara", "Is there anything to eat nearby?"),
            ("daniel", "The best zapiekanki in town, right outside."),
        ),
    ),
    Gathering(
        title="Evening run along the river",
        description="Seven kilometres, slow enough to talk. We wait for the last one.",
        host="kofi",
        place=PARK,
        ahead=_days(4),
        hours=2,
        max=12,
        tags=("sport", "outdoors"),
        category="outdoors",
        guests=("nora", "lucia", "mateusz", "oskar", "ulla", "viktor", "maeve"),
        said=(
            ("kofi", "Forecast is four degrees and dry. Gloves!"),
            ("maeve", "Where do we leave our bags?"),
            ("kofi", "In my car, it stands right behind the Barbican."),
        ),
    ),
    Gathering(
        title="Repair café: bring what is broken",
        description="Lamps, zips, radios, bicycles. We mend together, nobody mends for you.",
        host="mateusz",
        place=WORKSHOP,
        ahead=_days(6),
        hours=5,
        max=10,
        tags=("craft", "sustainability"),
        category="making",
        guests=(
            "nora",
            "wen",
            "priya",
            "quentin",
            "rosa",
            "samir",
            "tereza",
            "yusuf",
            "zuzanna",
            "milo",
            "owen",
            "hana",
        ),
        gone=("quentin",),
        said=(
            ("mateusz", "Please write what you bring, so that we have the parts."),
            ("wen", "A toaster that only toasts one side."),
            ("priya", "A coat with a broken zip, two metres of new one included."),
            ("mateusz", "Quentin has to travel, so Milo has his place."),
            ("milo", "Thank you! I had given up hope."),
        ),
    ),
    Gathering(
        title="Evening of short talks",
        description="Ten minutes each, any subject, questions after. Slides are optional, enthusiasm is not.",
        host="priya",
        place=LIBRARY,
        ahead=_days(9),
        hours=3,
        max=40,
        tags=("talks", "learning"),
        category="learning",
        guests=(
            "nora",
            "milo",
            "hana",
            "samir",
            "jasmine",
            "tereza",
            "felix",
            "ximena",
            "oskar",
            "nadia",
            "wen",
            "owen",
        ),
        said=(
            ("priya", "Three slots are left. Who has something to tell?"),
            ("samir", "How bread is made without yeast. With samples."),
            ("jasmine", "Samples decide my vote."),
            ("nadia", "I could talk about maps that lie."),
            ("priya", "Both noted. One slot left."),
        ),
    ),
    Gathering(
        title="Conversation in English, slowly",
        description="A table, tea, and a topic that nobody has prepared. For those who read more than they speak.",
        host="maeve",
        place=CAFE,
        ahead=_days(3),
        hours=2,
        max=6,
        tags=("languages", "beginners"),
        category="learning",
        guests=("gosia", "mateusz", "zuzanna", "lucia", "yusuf", "tereza", "elif", "wen"),
        gone=("lucia",),
        said=(
            ("maeve", "This week's topic: the worst advice you ever followed."),
            ("zuzanna", "I have so much to say about that."),
            ("yusuf", "See you there. I will speak slowly, as promised."),
        ),
    ),
    Gathering(
        title="Remote pair programming, all levels",
        description="Two people, one editor, ninety minutes, a small problem. We swap partners half-way.",
        host="wen",
        place=ONLINE,
        ahead=_days(5),
        hours=2,
        max=20,
        tags=("software", "beginners"),
        category="learning",
        guests=("milo", "priya", "felix", "hana", "daniel", "chiara", "viktor"),
        said=(
            ("wen", "No need to install anything: the link opens an editor in the browser."),
            ("felix", "Which language this time?"),
            ("wen", "Python, since most of you know some."),
        ),
    ),
    Gathering(
        title="First steps on the climbing wall",
        description="Shoes and harness can be borrowed. Two of us have taught this before.",
        host="viktor",
        place=CLIMBING,
        ahead=_days(11),
        hours=2,
        max=6,
        tags=("sport", "beginners"),
        category="outdoors",
        guests=("amara", "jasmine", "ivan", "nora", "rosa", "ximena", "bruno"),
        said=(
            ("viktor", "Bring a long-sleeved shirt and short fingernails."),
            ("ivan", "And courage?"),
            ("viktor", "We lend that too."),
        ),
    ),
    Gathering(
        title="Book circle: a novel with a map in it",
        description="Any novel that has a map on its first pages. Tell us where it leads.",
        host="nadia",
        place=LIBRARY,
        ahead=_days(16),
        hours=2,
        max=14,
        tags=("books",),
        category="culture",
        guests=("nora", "owen", "maeve", "chiara", "ulla", "hana"),
        said=(
            ("nadia", "I begin with Earthsea, what are yours?"),
            ("owen", "Moominland counts, I hope."),
            ("ulla", "It had better."),
        ),
    ),
    Gathering(
        title="Photo walk in the blue hour",
        description="From Kazimierz to the river while the lamps come on. Phones are cameras too.",
        host="ximena",
        place=CAFE,
        ahead=_days(8),
        hours=2,
        max=15,
        tags=("photography", "outdoors"),
        category="culture",
        guests=("milo", "rosa", "samir", "elif", "quentin"),
        said=(("ximena", "It will be dark on the way back, so bring a torch."),),
    ),
    Gathering(
        title="Soup for everybody",
        description="We cook three large pots and eat them. Tell us what you cannot eat.",
        host="rosa",
        place=WORKSHOP,
        ahead=_days(13),
        hours=4,
        max=25,
        tags=("food",),
        category="food",
        guests=(
            "nora",
            "milo",
            "amara",
            "bruno",
            "kofi",
            "gosia",
            "mateusz",
            "priya",
            "samir",
            "ulla",
            "yusuf",
            "owen",
        ),
        said=(
            ("rosa", "Lentils, pumpkin, and one with fish. Who peels?"),
            ("kofi", "I peel, if somebody else cuts onions."),
            ("gosia", "Onions are mine. I bring swimming goggles."),
            ("amara", "No nuts for me, please."),
            ("rosa", "No nuts in any of them."),
        ),
    ),
)
"""Of the default community."""

CLUB_GATHERINGS = (
    Gathering(
        title="Blitz on Thursdays",
        description="Nine rounds, three minutes each, and a cup for the winner to clean.",
        host="milo",
        place=CLUBHOUSE,
        ahead=_days(1),
        hours=3,
        max=4,
        tags=("chess",),
        guests=("hana", "kofi", "rosa", "viktor"),
        said=(
            ("milo", "Clocks are charged."),
            ("hana", "So am I."),
            ("rosa", "Viktor waits again. Somebody oversleep, please."),
        ),
    ),
)
"""Of the small community."""
