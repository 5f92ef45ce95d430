"""What is mounted: importing this declares every table, command, view, query, subscription, page and kind of mail."""

import muster.access.commands
import muster.access.keys.commands
import muster.access.keys.views
import muster.access.notices
import muster.access.services.commands
import muster.access.services.views
import muster.access.views
import muster.audit.views
import muster.events.commands
import muster.events.explaining
import muster.events.letters
import muster.events.map.documents
import muster.events.programme.commands
import muster.events.programme.views
import muster.events.streams
import muster.events.views
import muster.identity.commands
import muster.identity.devices.commands
import muster.identity.devices.pages
import muster.identity.external.commands
import muster.identity.external.views
import muster.identity.notices
import muster.identity.pages
import muster.identity.security_notices
import muster.identity.sign_in
import muster.identity.views
import muster.notifications.commands
import muster.notifications.streams
import muster.notifications.views
import muster.privacy.commands
import muster.privacy.notices
import muster.privacy.pages
import muster.privacy.views
import muster.profiles.commands
import muster.profiles.pages
import muster.profiles.views
import muster.tenancy.commands
import muster.tenancy.dev_mail
import muster.tenancy.external
import muster.tenancy.factors
import muster.tenancy.notices
import muster.tenancy.pages
import muster.tenancy.registration
import muster.tenancy.views

__all__ = ["muster"]
