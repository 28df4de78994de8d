"""Registered models: only what MMPreTrain lacks."""
