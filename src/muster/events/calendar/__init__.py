"""Events in the calendars that people have already: single files, and addresses that their programs ask now and then."""
