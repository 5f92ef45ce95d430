"""What clients say of an event when they create or change it."""

from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from muster.events.rules import LONGEST_WINDOW
from muster.events.tables import JoinMode, Level, MeetingKind, Mode, Visibility, WaitlistPolicy
from muster.kit.arguments import Input, Instant
from muster.profiles.tables import Disclosure

ClockTime = Annotated[
    str,
    Meta(
        pattern=r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$",
        examples=["19:30"],
        description="A time of a day, on the clock of the event.",
    ),
]


class Shadow(StrEnum):
    """How deep a shadow is."""

    NONE = "NONE"
    SOFT = "SOFT"
    DEEP = "DEEP"


Title = Annotated[
    str,
    Meta(
        min_length=3, max_length=60, pattern=r"\S", examples=["Chess in the park"], description="A line of plain text."
    ),
]
Starts = Annotated[Instant, Meta(description="When it begins; with an offset.")]
Ends = Annotated[
    Instant, Meta(examples=["2031-05-01T21:00:00Z"], description="When it is over, at most 30 days later.")
]
Timezone = Annotated[
    str, Meta(max_length=60, examples=["Europe/Warsaw"], description="The IANA name of where it takes place.")
]
Description = Annotated[str, Meta(max_length=5000, description="Markdown; HTML in it is shown as it is written.")]
Notes = Annotated[
    str, Meta(min_length=1, max_length=300, pattern=r"\S", description="What to bring or to know; a few plain words.")
]
Url = Annotated[
    str,
    Meta(
        max_length=2000,
        pattern=r"^https?://\S+$",
        examples=["https://chess.example/meetings"],
        description="The event's own page.",
    ),
]
OnlineUrl = Annotated[Url, Meta(description="Where to meet online; shown to who has a place.")]
Address = Annotated[str, Meta(min_length=1, max_length=300, description="Where to meet, as people write it.")]
Place = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=r"^\S", description="Its name; it can be searched for.")
]
PlaceName = Annotated[
    str, Meta(min_length=1, max_length=240, pattern=r"^\S", description="What the place is called, such as a café.")
]
PlaceId = Annotated[
    str, Meta(min_length=1, max_length=300, pattern=r"^\S+$", description="What a map that the client uses calls it.")
]
Radius = Annotated[
    float, Meta(ge=0, le=10, description="Kilometres around the point within which it takes place, as a walk does.")
]
Levels = Annotated[list[Level], Meta(max_length=3, description="For whom it is meant; empty is for everybody.")]
Language = Annotated[
    str,
    Meta(
        pattern="^[a-z]{2,3}(-[A-Z]{2})?$", examples=["pl"], description="What is spoken, by BCP 47: `pl`, or `pt-BR`."
    ),
]
Price = Annotated[
    int,
    Meta(ge=0, le=100_000_000, description="In the smallest unit of the currency; 0 is free. Organisers collect it."),
]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", examples=["PLN"], description="By ISO 4217.")]
Picture = Annotated[
    str,
    Meta(
        max_length=2000,
        pattern=r"^https://\S+$",
        examples=["https://chess.example/board.jpg"],
        description="The https address of a picture.",
    ),
]
Gallery = Annotated[list[Picture], Meta(max_length=12, description="More pictures, in their order.")]
AddressVisibility = Annotated[
    Disclosure,
    Meta(description="To whom it shows address, place and exact point; absent, as the organiser's preferences say."),
]
MembersVisibility = Annotated[
    Disclosure,
    Meta(description="To whom it shows who has a place; absent, as the organiser's preferences say."),
]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="Degrees north; comes with the longitude.")]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="Degrees east; comes with the latitude.")]
Fewest = Annotated[int, Meta(ge=1, le=99_999, description="The fewest people; absent or null is that of the mode.")]
Most = Annotated[
    int, Meta(ge=1, le=99_999, description="The most people, the owner among them; absent or null is that of the mode.")
]
Minutes = Annotated[int, Meta(ge=0, le=LONGEST_WINDOW)]
OpensBefore = Annotated[
    Minutes, Meta(description="So many minutes before the start people begin to get in; null is at once.")
]
CutoffBefore = Annotated[
    Minutes, Meta(description="From so many minutes before the start until it nobody gets in; null is no such time.")
]
LateCutoff = Annotated[
    Minutes, Meta(description="From so many minutes after the start on nobody gets in; null is until the end.")
]
AllowLate = Annotated[bool, Meta(description="Whether people get in after the start.")]
Metres = Annotated[
    int, Meta(ge=10, le=10_000, description="How near people may check themselves in; null is not at all.")
]
OfferMinutes = Annotated[
    int,
    Meta(
        ge=5,
        le=10_080,
        description="How long a freed place is offered to who waits; absent or null gives it to them at once.",
    ),
]
MayAskAgain = Annotated[bool, Meta(description="Whether who was rejected may ask again.")]
Colour = Annotated[str, Meta(pattern="^#[0-9a-f]{6}$", examples=["#2f6f62"])]
Categories = Annotated[
    list[Annotated[str, Meta(max_length=30)]], Meta(max_length=3, description="By their slugs; see `topics`.")
]
Tag = Annotated[str, Meta(max_length=30, pattern=r"^\S+( \S+)*$", examples=["board games"])]
Tags = Annotated[list[Tag], Meta(max_length=5, description="Kept in small letters.")]


class Surface(Input):
    """How a part of an event's page looks.

    background: one colour, or two or three that flow into each other. shadow: how deep the one that it casts is.
    """

    background: Annotated[list[Colour], Meta(min_length=1, max_length=3)] | None = None
    shadow: Shadow | None = None


class Detail(Input):
    """How an event's own page looks. background: as of a surface. panel: what its words stand on."""

    background: Annotated[list[Colour], Meta(min_length=1, max_length=3)] | None = None
    panel: Surface | None = None


class Appearance(Input):
    """How clients may show an event. card: in a list. detail: on a page of its own."""

    card: Surface | None = None
    detail: Detail | None = None


class CreateEventInput(Input):
    """What a new event needs. `max` absent in CUSTOM is unlimited."""

    title: Title
    starts_at: Starts
    ends_at: Ends
    timezone: Timezone
    meeting_kind: MeetingKind
    description: Description = ""
    url: Url | None = None
    online_url: OnlineUrl | None = None
    address: Address | None = None
    city: Place | None = None
    country: Place | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    join_mode: JoinMode = JoinMode.OPEN
    mode: Mode = Mode.CUSTOM
    min: Fewest | None = None
    max: Most | None = None
    waitlist_policy: WaitlistPolicy = WaitlistPolicy.FIFO_STRICT
    offer_minutes: OfferMinutes | None = None
    visibility: Visibility = Visibility.PUBLIC
    join_opens_minutes_before_start: OpensBefore | None = None
    join_cutoff_minutes_before_start: CutoffBefore | None = None
    allow_join_late: AllowLate = True
    late_join_cutoff_minutes_after_start: LateCutoff | None = None
    may_ask_again: MayAskAgain = False
    categories: Categories = []
    self_check_in_metres: Metres | None = None
    tags: Tags = []
    notes: Notes | None = None
    place: PlaceName | None = None
    place_id: PlaceId | None = None
    radius_km: Radius | None = None
    levels: Levels = []
    language: Language | None = None
    price: Price = 0
    currency: Currency | None = None
    cover_url: Picture | None = None
    gallery: Gallery = []
    appearance: Appearance | None = None
    address_visibility: AddressVisibility | None = None
    members_visibility: MembersVisibility | None = None


class UpdateEventInput(Input):
    """What changes of an event. What is absent stays as it is; what is null is emptied, sizes to those of the mode.

    version: the one that the change is meant for; another is refused.
    """

    title: Title | UnsetType = UNSET
    starts_at: Starts | UnsetType = UNSET
    ends_at: Ends | UnsetType = UNSET
    timezone: Timezone | UnsetType = UNSET
    meeting_kind: MeetingKind | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    url: Url | UnsetType | None = UNSET
    online_url: OnlineUrl | UnsetType | None = UNSET
    address: Address | UnsetType | None = UNSET
    city: Place | UnsetType | None = UNSET
    country: Place | UnsetType | None = UNSET
    latitude: Latitude | UnsetType | None = UNSET
    longitude: Longitude | UnsetType | None = UNSET
    join_mode: JoinMode | UnsetType = UNSET
    mode: Mode | UnsetType = UNSET
    min: Fewest | UnsetType | None = UNSET
    max: Most | UnsetType | None = UNSET
    waitlist_policy: WaitlistPolicy | UnsetType = UNSET
    offer_minutes: OfferMinutes | UnsetType | None = UNSET
    visibility: Visibility | UnsetType = UNSET
    join_opens_minutes_before_start: OpensBefore | UnsetType | None = UNSET
    join_cutoff_minutes_before_start: CutoffBefore | UnsetType | None = UNSET
    allow_join_late: AllowLate | UnsetType = UNSET
    late_join_cutoff_minutes_after_start: LateCutoff | UnsetType | None = UNSET
    may_ask_again: MayAskAgain | UnsetType = UNSET
    categories: Categories | UnsetType = UNSET
    self_check_in_metres: Metres | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET
    notes: Notes | UnsetType | None = UNSET
    place: PlaceName | UnsetType | None = UNSET
    place_id: PlaceId | UnsetType | None = UNSET
    radius_km: Radius | UnsetType | None = UNSET
    levels: Levels | UnsetType = UNSET
    language: Language | UnsetType | None = UNSET
    price: Price | UnsetType = UNSET
    currency: Currency | UnsetType | None = UNSET
    cover_url: Picture | UnsetType | None = UNSET
    gallery: Gallery | UnsetType = UNSET
    appearance: Appearance | UnsetType | None = UNSET
    address_visibility: AddressVisibility | UnsetType = UNSET
    members_visibility: MembersVisibility | UnsetType = UNSET
    version: int | UnsetType = UNSET
