"""The verbs of identity."""

from muster.identity.commands.accounts import (
    Email,
    EmailTaken,
    Locale,
    MailSent,
    PersonName,
    Timezone,
    ask_for_verification,
    normal_email,
    open_account,
    resend_verification,
    verify_address,
    verify_email,
)
from muster.identity.commands.closing import (
    ask_to_restore,
    close_account,
    disable_account,
    enable_account,
    open_again,
    restore_account,
)
from muster.identity.commands.email import change_email, confirm_email_change
from muster.identity.commands.factors import drop_factors, drop_totp, forget_factor, is_last
from muster.identity.commands.links import LinkInvalid
from muster.identity.commands.me import update_me
from muster.identity.commands.mfa import complete_login
from muster.identity.commands.passkeys import PasskeyNotFound, login_with_passkey
from muster.identity.commands.passwords import (
    NewPassword,
    change_password,
    checked_password,
    forgot_password,
    reset_password,
    set_password,
    unlock_account,
)
from muster.identity.commands.proofs import Proof, prove, step_up
from muster.identity.commands.sessions import (
    Session,
    cookie_keys,
    login,
    logout,
    logout_everywhere,
    open_session,
    refresh,
    revoke_session,
    sign_in,
    token_keys,
)
from muster.identity.commands.sign_in_links import send_sign_in_link, sign_in_by_link

__all__ = [
    "Email",
    "EmailTaken",
    "LinkInvalid",
    "Locale",
    "MailSent",
    "NewPassword",
    "PasskeyNotFound",
    "PersonName",
    "Proof",
    "Session",
    "Timezone",
    "ask_for_verification",
    "ask_to_restore",
    "change_email",
    "change_password",
    "checked_password",
    "close_account",
    "complete_login",
    "confirm_email_change",
    "cookie_keys",
    "disable_account",
    "drop_factors",
    "drop_totp",
    "enable_account",
    "forget_factor",
    "forgot_password",
    "is_last",
    "login",
    "login_with_passkey",
    "logout",
    "logout_everywhere",
    "normal_email",
    "open_account",
    "open_again",
    "open_session",
    "prove",
    "refresh",
    "resend_verification",
    "reset_password",
    "restore_account",
    "revoke_session",
    "send_sign_in_link",
    "set_password",
    "sign_in",
    "sign_in_by_link",
    "step_up",
    "token_keys",
    "unlock_account",
    "update_me",
    "verify_address",
    "verify_email",
]
