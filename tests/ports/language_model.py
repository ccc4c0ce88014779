"""A transformer that predicts the next token: masks, positions in a buffer, clipped gradients."""

import math

import torch
import torch.nn as nn
from torch import Tensor

from tests.ports.data import fill, integers


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, dropout=0.0, max_len=50):
        super().__init__()
        self.dropout = nn.Dropout(p=dropout)
        position = torch.arange(max_len).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(max_len, 1, d_model)
        pe[:, 0, 0::2] = torch.sin(position * div_term)
        pe[:, 0, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.pe[: x.size(0)]
        return self.dropout(x)


class TM(nn.Module):
    def __init__(self, nt, d=16, h=2, hid=32, L=2):
        super().__init__()
        self.pos = PositionalEncoding(d)
        self.enc = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(d, h, hid, 0.0), L, enable_nested_tensor=False
        )
        self.emb = nn.Embedding(nt, d)
        self.d = d
        self.linear = nn.Linear(d, nt)
        self.init_weights()

    def init_weights(self):
        r = 0.1
        self.emb.weight.data.uniform_(-r, r)
        self.linear.bias.data.zero_()
        self.linear.weight.data.uniform_(-r, r)

    def forward(self, src, mask=None):
        src = self.emb(src) * math.sqrt(self.d)
        src = self.pos(src)
        if mask is None:
            mask = nn.Transformer.generate_square_subsequent_mask(len(src))
        return self.linear(self.enc(src, mask))


m = TM(20)
m = fill(torch, m)
crit = nn.CrossEntropyLoss()
opt = torch.optim.SGD(m.parameters(), lr=0.5)
sch = torch.optim.lr_scheduler.StepLR(opt, 1, gamma=0.95)


def losses() -> list[float]:
    """Of some steps."""
    out = []
    m.train()
    for i in range(4):
        d = integers(torch, 7, 3, hi=20, seed=i)
        t = integers(torch, 7, 3, hi=20, seed=i + 9).reshape(-1)
        o = m(d)
        loss = crit(o.view(-1, 20), t)
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(m.parameters(), 0.5)
        opt.step()
        sch.step()
        out.append(loss.item())
    return out
