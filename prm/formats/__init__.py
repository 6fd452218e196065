"""How the back office writes dates where Django formats them itself; pages of ours use `prm.lib.l10n`."""
