"""The methods of ``Tensor`` that are functions of ``graphc.frontend.functions``, by family."""
