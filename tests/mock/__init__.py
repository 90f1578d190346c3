"""The scripted partner."""
