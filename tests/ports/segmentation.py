"""A U-Net: odd sizes that are padded, dice and cross entropy, a schedule that watches the loss."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from tests.ports.data import fill, integers, normal


class DoubleConv(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.c = nn.Sequential(
            nn.Conv2d(i, o, 3, padding=1, bias=False),
            nn.BatchNorm2d(o),
            nn.ReLU(inplace=True),
            nn.Conv2d(o, o, 3, padding=1, bias=False),
            nn.BatchNorm2d(o),
            nn.ReLU(inplace=True),
        )

    def forward(self, x):
        return self.c(x)


class Up(nn.Module):
    def __init__(self, i, o, bilinear):
        super().__init__()
        if bilinear:
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            self.conv = DoubleConv(i, o)
        else:
            self.up = nn.ConvTranspose2d(i, i // 2, 2, stride=2)
            self.conv = DoubleConv(i // 2 + i // 2, o)

    def forward(self, x1, x2):
        x1 = self.up(x1)
        dy = x2.size()[2] - x1.size()[2]
        dx = x2.size()[3] - x1.size()[3]
        x1 = F.pad(x1, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.conv(torch.cat([x2, x1], dim=1))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.inc = DoubleConv(3, 8)
        self.d1 = nn.Sequential(nn.MaxPool2d(2), DoubleConv(8, 16))
        self.d2 = nn.Sequential(nn.MaxPool2d(2), DoubleConv(16, 32))
        self.u1 = Up(32, 16, False)
        self.u2 = Up(24, 8, True)
        self.outc = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        a = self.inc(x)
        b = self.d1(a)
        c = self.d2(b)
        y = self.u1(c, b)
        y = self.u2(y, a)
        return self.outc(y)


def dice(inp, tgt, eps=1e-06):
    inter = 2 * (inp * tgt).sum(dim=(-1, -2))
    s = inp.sum(dim=(-1, -2)) + tgt.sum(dim=(-1, -2))
    s = torch.where(s == 0, inter, s)
    return 1 - ((inter + eps) / (s + eps)).mean()


net = UNet()
net = fill(torch, net)
opt = torch.optim.RMSprop(
    net.parameters(), lr=0.001, weight_decay=1e-08, momentum=0.9, foreach=True
)
sched = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, "max", patience=1)
crit = nn.CrossEntropyLoss()


def losses() -> list[float]:
    """Of some steps."""
    out = []
    for i in range(3):
        x = normal(torch, 2, 3, 18, 22, seed=i)
        m = integers(torch, 2, 18, 22, hi=2, seed=i)
        p = net(x)
        loss = crit(p, m) + dice(
            F.softmax(p, dim=1).float(), F.one_hot(m, 2).permute(0, 3, 1, 2).float()
        )
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        sched.step(-loss.item())
        out.append(loss.item())
    net.eval()
    with torch.no_grad():
        out.append(float(net(normal(torch, 1, 3, 16, 16, seed=9)).argmax(dim=1).sum()))
    return out[:-1]
