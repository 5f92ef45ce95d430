"""What follows what: each line names a fact and the handlers that the worker runs after it."""

from muster.access import notices as access_notices
from muster.access.facts import ImpersonationEnded
from muster.adapters import smtp
from muster.chat.commands import RoomUnread
from muster.events import jobs as event_jobs
from muster.events import notices as event_notices
from muster.events.announcements import notices as announcement_notices
from muster.events.announcements.facts import EventAnnounced
from muster.events.facts import (
    EventApproved,
    EventBanned,
    EventCancelled,
    EventDeleted,
    EventInvitationAnswered,
    EventInvitationSent,
    EventJoined,
    EventKicked,
    EventMissedPublication,
    EventOffered,
    EventOfferLapsed,
    EventOwnerChanged,
    EventOwnershipDeclined,
    EventOwnershipOffered,
    EventPromoted,
    EventRejected,
    EventRequested,
    EventRestored,
    EventRoleChanged,
    EventUnbanned,
    EventUpdated,
)
from muster.events.invites import notices as invite_notices
from muster.events.joining import notices as joining_notices
from muster.events.ownership import notices as ownership_notices
from muster.events.reminders import notices as reminder_notices
from muster.events.reminders.facts import FeedbackDue, ReminderDue
from muster.events.series import making as series_making
from muster.events.series.facts import OccurrenceMade
from muster.events.sponsorship import notices as sponsorship_notices
from muster.events.sponsorship.facts import EventBoosted, EventPushed, EventSponsored
from muster.events.waitlist import notices as waitlist_notices
from muster.identity import notices as identity_notices
from muster.identity import security_notices
from muster.identity.facts import (
    AccountClosed,
    AccountLocked,
    AccountOpenedAgain,
    BackupCodesRenewed,
    BackupCodeUsed,
    EmailChangeAsked,
    EmailChanged,
    IdentityLinked,
    PasswordChanged,
    RegisteredAgain,
    ResetAsked,
    RestoreAsked,
    SecondFactorAdded,
    SecondFactorRemoved,
    SecondFactorsLocked,
    SignedIn,
    SignInLinkAsked,
    VerificationAsked,
)
from muster.kit.mail.delivery import Delivery
from muster.kit.mail.posting import MailPosted
from muster.kit.work.errands import outside
from muster.kit.work.handlers import on
from muster.privacy import exporting as privacy_exporting
from muster.privacy import jobs as privacy_jobs
from muster.privacy import notices as privacy_notices
from muster.privacy.facts import (
    AccountEnded,
    AccountEndsSoon,
    ErasureDue,
    ExportAsked,
    ExportExpired,
    ExportReady,
)
from muster.tenancy import jobs as tenancy_jobs
from muster.tenancy import notices as tenancy_notices
from muster.tenancy import security as tenancy_security
from muster.tenancy import tenant_notices
from muster.tenancy.facts import (
    DomainDue,
    DomainFailing,
    DomainLost,
    DomainProven,
    InvitationMade,
    InvitationSentAgain,
    JoinApproved,
    JoinRejected,
    MemberLeft,
    MemberRemoved,
    MemberResumed,
    MemberRoleChanged,
    MemberSuspended,
    OwnershipDeclined,
    OwnershipOffered,
    OwnershipTransferred,
    TenantClosed,
    TenantDeletionBegun,
    TenantDue,
    TenantOpened,
    TenantRestored,
)
from muster.tenancy.teams import notices as team_notices
from muster.tenancy.teams.facts import (
    TeamApproved,
    TeamAsked,
    TeamDeleted,
    TeamInherited,
    TeamInvited,
    TeamLeft,
    TeamRejected,
    TeamRoleChanged,
)

# Connections to the mail server; providers refuse who opens many.
_MAILS_AT_ONCE = 4
# Events whose members are told something; each may be thousands of people, and no community takes both places.
_CROWDS_AT_ONCE = 2
_CROWDS_OF_TENANT = 1
# Rooms whose people are told of what they have not read; most are small, and a lively community has many of them.
_ROOMS_AT_ONCE = 4
_ROOMS_OF_TENANT = 2
# People who leave, one after the other: each is looked for in every community.
_LEAVERS_AT_ONCE = 1
_EXPORTS_AT_ONCE = 2

on(VerificationAsked, identity_notices.mail_verification)
on(RegisteredAgain, identity_notices.mail_registered_again)
on(ResetAsked, identity_notices.mail_reset)
on(SignedIn, tenancy_security.tell_new_device)
on(SignInLinkAsked, identity_notices.mail_sign_in_link)
on(AccountLocked, identity_notices.mail_locked)
on(IdentityLinked, identity_notices.mail_identity_linked)
on(PasswordChanged, identity_notices.mail_password_changed)
on(SecondFactorAdded, security_notices.mail_factor_added)
on(SecondFactorRemoved, security_notices.mail_factor_removed)
on(BackupCodesRenewed, security_notices.mail_codes_renewed)
on(BackupCodeUsed, security_notices.mail_code_used)
on(SecondFactorsLocked, security_notices.mail_codes_locked)
on(EmailChangeAsked, security_notices.mail_email_change)
on(EmailChanged, security_notices.mail_email_changed)

on(RestoreAsked, identity_notices.mail_restore)

on(AccountClosed, privacy_notices.mail_closed)
on(AccountOpenedAgain, privacy_notices.mail_opened_again)
on(AccountEndsSoon, privacy_notices.mail_ends_soon)
on(AccountEnded, privacy_notices.mail_ended, outside(privacy_jobs.withdraw_everywhere, at_once=_LEAVERS_AT_ONCE))
on(ErasureDue, outside(privacy_jobs.erase, at_once=_LEAVERS_AT_ONCE))
on(ExportAsked, outside(privacy_exporting.make_export, at_once=_EXPORTS_AT_ONCE))
on(ExportReady, privacy_notices.mail_export_ready)
on(ExportExpired, outside(privacy_exporting.remove_expired, at_once=_EXPORTS_AT_ONCE))
on(ImpersonationEnded, access_notices.mail_impersonated)

on(InvitationMade, tenancy_notices.mail_invitation)
on(InvitationSentAgain, tenancy_notices.mail_invitation)
on(JoinApproved, tenancy_notices.mail_approved)
on(JoinRejected, tenancy_notices.mail_rejected)
on(MemberLeft, outside(event_jobs.free_places, at_once=_LEAVERS_AT_ONCE))
on(MemberRemoved, tenancy_notices.mail_removed, outside(event_jobs.free_places, at_once=_LEAVERS_AT_ONCE))
on(MemberSuspended, tenancy_notices.mail_suspended)
on(MemberResumed, tenancy_notices.mail_resumed)

on(EventJoined, event_notices.tell_owner_of_join)
on(EventInvitationSent, invite_notices.tell_invited)
on(EventInvitationAnswered, invite_notices.tell_answer)
on(EventRequested, joining_notices.tell_organisers_of_request)
on(EventApproved, joining_notices.tell_approved)
on(EventRejected, joining_notices.tell_rejected)
on(EventBanned, joining_notices.tell_banned)
on(EventUnbanned, joining_notices.tell_unbanned)
on(EventPromoted, event_notices.tell_promoted)
on(EventOffered, waitlist_notices.tell_offered)
on(EventOfferLapsed, waitlist_notices.tell_lapsed)
on(EventKicked, event_notices.tell_kicked)
on(EventRoleChanged, event_notices.tell_new_role)
on(EventCancelled, outside(event_notices.tell_cancelled, at_once=_CROWDS_AT_ONCE, tenant_at_once=_CROWDS_OF_TENANT))
on(
    EventUpdated,
    outside(event_notices.tell_moved, at_once=_CROWDS_AT_ONCE, tenant_at_once=_CROWDS_OF_TENANT),
    outside(waitlist_notices.tell_too_large, at_once=_CROWDS_AT_ONCE, tenant_at_once=_CROWDS_OF_TENANT),
)
on(ReminderDue, outside(reminder_notices.remind, at_once=_CROWDS_AT_ONCE, tenant_at_once=_CROWDS_OF_TENANT))
on(FeedbackDue, outside(reminder_notices.ask_for_feedback, at_once=_CROWDS_AT_ONCE, tenant_at_once=_CROWDS_OF_TENANT))
on(EventDeleted, outside(event_notices.tell_deleted, at_once=_CROWDS_AT_ONCE, tenant_at_once=_CROWDS_OF_TENANT))
on(EventRestored, outside(event_notices.tell_restored, at_once=_CROWDS_AT_ONCE, tenant_at_once=_CROWDS_OF_TENANT))
on(
    EventAnnounced,
    outside(announcement_notices.tell_announced, at_once=_CROWDS_AT_ONCE, tenant_at_once=_CROWDS_OF_TENANT),
)
on(EventSponsored, sponsorship_notices.tell_sponsored)
on(EventBoosted, sponsorship_notices.tell_boosted)
on(EventPushed, outside(sponsorship_notices.tell_nearby, at_once=_CROWDS_AT_ONCE, tenant_at_once=_CROWDS_OF_TENANT))
on(EventMissedPublication, event_notices.tell_not_published)
on(EventOwnershipOffered, ownership_notices.tell_offered)
on(EventOwnershipDeclined, ownership_notices.tell_declined)
on(EventOwnerChanged, ownership_notices.tell_new_owner)
on(OccurrenceMade, outside(series_making.seat_followers, at_once=_CROWDS_AT_ONCE, tenant_at_once=_CROWDS_OF_TENANT))
on(RoomUnread, outside(event_notices.tell_of_messages, at_once=_ROOMS_AT_ONCE, tenant_at_once=_ROOMS_OF_TENANT))

on(MemberRoleChanged, tenant_notices.tell_role_changed)

on(TenantClosed, tenant_notices.tell_closed)
on(TenantOpened, tenant_notices.tell_opened)
on(
    TenantDeletionBegun,
    outside(tenant_notices.tell_deletion_begun, at_once=_CROWDS_AT_ONCE, tenant_at_once=_CROWDS_OF_TENANT),
)
on(TenantRestored, outside(tenant_notices.tell_restored, at_once=_CROWDS_AT_ONCE, tenant_at_once=_CROWDS_OF_TENANT))
on(OwnershipOffered, tenant_notices.tell_offered)
on(OwnershipDeclined, tenant_notices.tell_declined)
on(OwnershipTransferred, tenant_notices.tell_passed)
on(DomainProven, tenant_notices.tell_domain_proven)
on(DomainFailing, tenant_notices.tell_domain_failing)
on(DomainLost, tenant_notices.tell_domain_lost)

on(TeamInvited, team_notices.tell_invited)
on(TeamAsked, team_notices.tell_asked)
on(TeamApproved, team_notices.tell_approved)
on(TeamRejected, team_notices.tell_rejected)
on(TeamLeft, team_notices.tell_left)
on(TeamRoleChanged, team_notices.tell_role_changed)
on(TeamInherited, team_notices.tell_inherited)
on(TeamDeleted, outside(team_notices.tell_deleted, at_once=_CROWDS_AT_ONCE, tenant_at_once=_CROWDS_OF_TENANT))

on(TenantDue, outside(tenancy_jobs.erase_due, at_once=1))
on(DomainDue, outside(tenancy_jobs.check_domain, at_once=4))

on(MailPosted, outside(Delivery(smtp.send), at_once=_MAILS_AT_ONCE))
