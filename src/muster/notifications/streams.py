"""What can be followed live of notifications."""

from muster.kit.caller import member
from muster.kit.realtime.subscription import subscription
from muster.notifications.commands import NotificationAdded
from muster.notifications.views import NotificationView


@subscription("notificationAdded", on=(NotificationAdded,), gives="notification", row="notification_id", allow=member)
def notification_added() -> NotificationView:
    """What the caller is told, as it is told."""
