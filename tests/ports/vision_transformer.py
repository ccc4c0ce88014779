"""A vision transformer written out: chunks, map, a class token, OneCycleLR."""

import torch
from torch import nn

from tests.ports.data import fill, integers, normal


class Attn(nn.Module):
    def __init__(self, dim, heads=2, dh=8, drop=0.0):
        super().__init__()
        inner = dh * heads
        self.heads = heads
        self.scale = dh ** (-0.5)
        self.norm = nn.LayerNorm(dim)
        self.attend = nn.Softmax(dim=-1)
        self.to_qkv = nn.Linear(dim, inner * 3, bias=False)
        self.to_out = nn.Sequential(nn.Linear(inner, dim), nn.Dropout(drop))

    def forward(self, x):
        x = self.norm(x)
        qkv = self.to_qkv(x).chunk(3, dim=-1)
        b, n, _ = x.shape
        q, k, v = map(lambda t: t.reshape(b, n, self.heads, -1).permute(0, 2, 1, 3), qkv)
        dots = torch.matmul(q, k.transpose(-1, -2)) * self.scale
        attn = self.attend(dots)
        out = torch.matmul(attn, v)
        return self.to_out(out.permute(0, 2, 1, 3).flatten(2))


class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        dim = 16
        self.patch = nn.Conv2d(3, dim, 4, 4)
        self.cls = nn.Parameter(torch.randn(1, 1, dim))
        self.pos = nn.Parameter(torch.randn(1, 17, dim) * 0.02)
        self.layers = nn.ModuleList([])
        for _ in range(2):
            self.layers.append(
                nn.ModuleList(
                    [
                        Attn(dim),
                        nn.Sequential(
                            nn.LayerNorm(dim), nn.Linear(dim, 32), nn.GELU(), nn.Linear(32, dim)
                        ),
                    ]
                )
            )
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, 5)
        nn.init.trunc_normal_(self.pos, std=0.02)

    def forward(self, img):
        x = self.patch(img).flatten(2).transpose(1, 2)
        b = x.shape[0]
        x = torch.cat((self.cls.expand(b, -1, -1), x), dim=1)
        x += self.pos[:, : x.shape[1]]
        for a, f in self.layers:
            x = a(x) + x
            x = f(x) + x
        return self.head(self.norm(x)[:, 0])


m = ViT()
m = fill(torch, m)
opt = torch.optim.AdamW(m.parameters(), lr=0.003, betas=(0.9, 0.95))
sch = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=0.003, total_steps=20)
crit = nn.CrossEntropyLoss(label_smoothing=0.1)


def losses() -> list[float]:
    """Of some steps."""
    out = []
    for i in range(4):
        loss = crit(m(normal(torch, 4, 3, 16, 16, seed=i)), integers(torch, 4, hi=5, seed=i))
        opt.zero_grad()
        loss.backward()
        opt.step()
        sch.step()
        out.append(loss.item())
    return out
