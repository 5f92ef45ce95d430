"""QR codes: texts that a camera reads."""


def qr_code(text: str) -> str:
    """A text as a QR code: an SVG image to show or to put into a page."""
    # Few need one, and loading it takes a while.
    import segno

    return segno.make(text, error="m").svg_inline(scale=4, border=4)
