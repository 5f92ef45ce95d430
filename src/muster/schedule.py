"""What is due when: one line per entry, `every(seconds=..., name=..., run=...)` or `at("30 3 * * *", ...)`."""

from muster.access.jobs import end_overdue
from muster.audit import jobs as audit
from muster.audit.queries import TENANTS_WITH_UNSEALED
from muster.chat.jobs import announce_unread
from muster.chat.queries import TENANTS_WITH_DUE_ROOMS
from muster.events.commands import publish_due
from muster.events.invites.jobs import forget_invitations as forget_event_invitations
from muster.events.queries import TENANTS_WITH_DUE_EVENTS
from muster.events.reminders.jobs import announce_times
from muster.events.reminders.queries import TENANTS_WITH_ROUNDS
from muster.events.series.making import make_due
from muster.events.tallies import jobs as tallies
from muster.events.tallies.queries import TENANTS_WITH_TALLY_CHANGES
from muster.events.waitlist.jobs import lapse_offers, promote_due
from muster.events.waitlist.queries import TENANTS_WITH_DUE_OFFERS, TENANTS_WITH_DUE_PROMOTIONS
from muster.identity.jobs import forget_expired
from muster.kit.mail.jobs import forget_finished as forget_mails
from muster.kit.work.keys import TENANTS_WITH_OLD_KEYS, forget_keys
from muster.kit.work.retention import forget_finished
from muster.kit.work.schedule import every
from muster.privacy.exporting import forget_exports
from muster.privacy.jobs import see_who_leaves
from muster.profiles.jobs import forget_visits
from muster.tenancy.jobs import announce_domains, announce_due, forget_invitations
from muster.tenancy.queries import EVERY_TENANT, TENANTS_WITH_HOSTS

every(seconds=30, name="jobs.forget_finished", run=forget_finished)
every(seconds=3600, name="idempotency.forget_keys", run=forget_keys, tenants=TENANTS_WITH_OLD_KEYS)
every(seconds=3600, name="identity.forget_expired", run=forget_expired)
every(seconds=3600, name="tenancy.announce_due", run=announce_due)
every(seconds=86_400, name="tenancy.announce_domains", run=announce_domains, tenants=TENANTS_WITH_HOSTS)
every(seconds=30, name="access.end_overdue", run=end_overdue)
every(seconds=86_400, name="mail.forget_finished", run=forget_mails, tenants=EVERY_TENANT)
every(seconds=15, name="events.publish_due", run=publish_due, tenants=TENANTS_WITH_DUE_EVENTS)
every(seconds=30, name="chat.announce_unread", run=announce_unread, tenants=TENANTS_WITH_DUE_ROOMS)
every(seconds=3600, name="events.make_occurrences", run=make_due, tenants=EVERY_TENANT)
every(seconds=60, name="events.announce_times", run=announce_times, tenants=TENANTS_WITH_ROUNDS)
every(seconds=15, name="events.lapse_offers", run=lapse_offers, tenants=TENANTS_WITH_DUE_OFFERS)
every(seconds=15, name="events.promote_due", run=promote_due, tenants=TENANTS_WITH_DUE_PROMOTIONS)
every(seconds=5, name="events.fold_tallies", run=tallies.fold, tenants=TENANTS_WITH_TALLY_CHANGES)
every(seconds=86_400, name="events.check_tallies", run=tallies.check, tenants=EVERY_TENANT)
every(seconds=86_400, name="events.forget_invitations", run=forget_event_invitations, tenants=EVERY_TENANT)
every(seconds=600, name="privacy.see_who_leaves", run=see_who_leaves)
every(seconds=audit.SEAL_SECONDS, name="audit.seal", run=audit.seal, tenants=TENANTS_WITH_UNSEALED)
every(seconds=86_400, name="audit.mark", run=audit.mark, tenants=EVERY_TENANT)
every(seconds=3600, name="audit.forget", run=audit.forget, tenants=EVERY_TENANT)
every(seconds=3600, name="profiles.forget_visits", run=forget_visits)
every(seconds=86_400, name="tenancy.forget_invitations", run=forget_invitations, tenants=EVERY_TENANT)
every(seconds=3600, name="privacy.forget_exports", run=forget_exports)
