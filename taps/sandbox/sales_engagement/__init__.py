"""The sales engagement API: 47 collections behind tokens that expire."""
