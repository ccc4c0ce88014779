"""The operations that programs are drawn from: each function makes one step, if operands fit."""
