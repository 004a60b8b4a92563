"""Live data for other programs: avatars by VMC, anything by OSC, a picture by a virtual camera."""
