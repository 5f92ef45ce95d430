"""The verbs of identity."""

from muster.identity.commands.accounts import (
    Email,
    EmailTaken,
    MailSent,
    PersonName,
    ask_for_verification,
    normal_email,
    open_account,
    resend_verification,
    verify_email,
)
from muster.identity.commands.passwords import (
    NewPassword,
    change_password,
    checked_password,
    forgot_password,
    reset_password,
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
    token_keys,
)

__all__ = [
    "Email",
    "EmailTaken",
    "MailSent",
    "NewPassword",
    "PersonName",
    "Proof",
    "Session",
    "ask_for_verification",
    "change_password",
    "checked_password",
    "cookie_keys",
    "forgot_password",
    "login",
    "logout",
    "logout_everywhere",
    "normal_email",
    "open_account",
    "open_session",
    "prove",
    "refresh",
    "resend_verification",
    "reset_password",
    "revoke_session",
    "step_up",
    "token_keys",
    "unlock_account",
    "verify_email",
]
