"""Singer taps for help desk, voice, sales engagement, on-call and contact centre APIs."""
