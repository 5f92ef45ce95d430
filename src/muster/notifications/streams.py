"""What can be followed live of notifications."""

from muster.kit.caller import member
from muster.kit.realtime.subscription import subscription
from muster.notifications.commands import BadgeChanged, NotificationAdded
from muster.notifications.views import NotificationBadgeView, NotificationView


@subscription("notificationAdded", on=(NotificationAdded,), gives="notification", row="notification_id", allow=member)
def notification_added() -> NotificationView:
    """What the caller is told, as it is told."""


@subscription(
    "notificationBadgeChanged", on=(NotificationAdded, BadgeChanged), gives="badge", row="user_id", allow=member
)
def notification_badge_changed() -> NotificationBadgeView:
    """How many notifications the caller has not read, whenever that changes."""
