"""Numbers that carry their protocol. ``records`` reads them without torch; ``evaluate`` makes them."""
