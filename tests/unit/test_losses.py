"""Every loss against a second, independent reference, values and gradients, and on inputs made to break it."""

import itertools
import math

import numpy as np
import pytest
import torch
from pytorch_metric_learning import distances, miners, reducers
from pytorch_metric_learning import losses as pml
from torch import nn
from torch.nn.functional import one_hot

from fslviz.losses import Contrastive, Triplet, pairwise_distance
from fslviz.margins import ArcFace, CosFace, NormFace, Softmax, SphereFace, cosine
from fslviz.models import EmbeddingNet, SiameseNet, TripletNet

EUCLID = distances.LpDistance(normalize_embeddings=False)
SQUARED = distances.LpDistance(normalize_embeddings=False, power=2)


def batch(seed=0, size=24, dim=3, classes=4):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(size, dim, generator=g, dtype=torch.float64), torch.randint(classes, (size,), generator=g)


def slow_contrastive(z, y, margin):
    genuine, impostor = [], []
    for i, j in itertools.combinations(range(len(y)), 2):
        d = math.sqrt(sum((a - b) ** 2 for a, b in zip(z[i].tolist(), z[j].tolist(), strict=True)))
        (genuine if y[i] == y[j] else impostor).append(d**2 / 2 if y[i] == y[j] else max(0, margin - d) ** 2 / 2)
    return (sum(genuine) / len(genuine) + sum(impostor) / len(impostor)) / 2


def slow_semihard(z, y, margin):
    d = [[sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) for q in z.tolist()] for p in z.tolist()]
    values, n = [], len(y)
    for a, p in itertools.permutations(range(n), 2):
        if y[a] == y[p]:
            negatives = [d[a][k] for k in range(n) if y[k] != y[a]]
            farther = [v for v in negatives if v > d[a][p]]
            values.append(max(0, d[a][p] - (min(farther) if farther else max(negatives)) + margin))
    return sum(values) / len(values)


def slow_softmax(loss, z, y, target):
    """The softmax family from its formulas: ``target(angle)`` is what the true class's cosine becomes."""
    total, family = 0.0, isinstance(loss, NormFace)
    for x, label in zip(z.tolist(), y.tolist(), strict=True):
        logits = []
        for j, w in enumerate(loss.weight.tolist()):
            dot, length = sum(a * b for a, b in zip(x, w, strict=True)), math.dist(x, [0] * len(x))
            if not family:
                logits.append(dot)
                continue
            cos = dot / length / math.dist(w, [0] * len(w))
            scale = length if isinstance(loss, SphereFace) else loss.scale
            logits.append(scale * (target(math.acos(cos)) if j == label else cos))
        total += math.log(sum(math.exp(v - logits[label]) for v in logits))
    return total / len(y)


def slow_psi(theta, m):
    k = math.floor(m * theta / math.pi)
    return (-1) ** k * math.cos(m * theta) - 2 * k


def check_gradient(loss, z, y):
    parameters = tuple(loss.double().parameters())
    assert torch.autograd.gradcheck(lambda z, *_: loss(z, y), (z.clone().requires_grad_(), *parameters))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("margin", [0.0, 0.7, 1.5, 50.0])
def test_contrastive(seed, margin):
    z, y = batch(seed)
    assert Contrastive(margin)(z, y).item() == pytest.approx(slow_contrastive(z, y, margin))
    check_gradient(Contrastive(margin), z, y)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("margin", [0.0, 0.7, 5.0])
@pytest.mark.parametrize("mining", ["all", "hard", "semihard"])
def test_triplet(seed, margin, mining):
    z, y = batch(seed)
    if mining == "semihard":
        expected = slow_semihard(z, y, margin)
    elif mining == "hard":
        reference = pml.TripletMarginLoss(margin, distance=SQUARED, reducer=reducers.MeanReducer())
        expected = reference(z, y, miners.BatchHardMiner(distance=EUCLID)(z, y)).item()
    else:
        expected = pml.TripletMarginLoss(margin, distance=SQUARED, reducer=reducers.MeanReducer())(z, y).item()
    assert Triplet(margin, mining)(z, y).item() == pytest.approx(expected)
    check_gradient(Triplet(margin, mining), z, y)


def cube(z, y, margin):
    """All triplets one by one, in a cube of B x B x B."""
    d, genuine = torch.cdist(z, z).square(), (y[:, None] == y).fill_diagonal_(False)
    taken = genuine[:, :, None] & (y[:, None] != y)[:, None, :]  # anchor, positive, negative
    return nn.functional.relu(d[:, :, None] - d[:, None, :] + margin)[taken].mean()


@pytest.mark.parametrize("size", [2, 40, 130])
@pytest.mark.parametrize("spread", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize("margin", [0.0, 0.3, 4.0])
def test_all_triplets_are_those_of_the_cube(size, spread, margin, monkeypatch):
    g = torch.Generator().manual_seed(size)
    y = torch.arange(size) % 5
    z = torch.randn(5, 2, generator=g, dtype=torch.float64)[y] * spread
    z = z + torch.randn(size, 2, generator=g, dtype=torch.float64) * spread / 3
    a, b = z.clone().requires_grad_(), z.clone().requires_grad_()
    if size < 6:  # no anchor has both a positive and a negative
        assert Triplet(margin)(a, y).item() == 0
        return
    values = Triplet(margin)(a, y), cube(b, y, margin)
    torch.testing.assert_close(*values, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(*(torch.autograd.grad(v, x)[0] for v, x in zip(values, (a, b), strict=True)))
    d = torch.cdist(z, z).square()
    active = [
        float(d[i, p] - d[i, n] + margin > 0)
        for i, p in itertools.permutations(range(size if size < 50 else 0), 2)
        if y[i] == y[p]
        for n in (y != y[i]).nonzero()[:, 0]
    ]
    assert not active or Triplet(margin).active(z, y) == pytest.approx(sum(active) / len(active))


def test_a_semihard_negative_is_farther_than_the_positive_and_not_as_far():
    z = torch.randint(-2, 3, (24, 2), generator=torch.Generator().manual_seed(0)).double()  # many as far as others
    y = torch.arange(24) % 4
    for margin in (0.0, 1.0, 5.0):
        assert Triplet(margin, "semihard")(z, y).item() == pytest.approx(slow_semihard(z, y, margin))


def test_all_triplets_of_a_batch_in_parts():
    z, y = batch(size=1100, dim=2, classes=5)
    d, total, count = torch.cdist(z, z).square(), 0.0, 0
    for a in range(1100):
        mine = (y == y[a]) & (torch.arange(1100) != a)
        costs = (d[a][mine][:, None] - d[a][y != y[a]] + 0.5).relu()
        total, count = total + costs.sum().item(), count + costs.numel()
    assert Triplet(0.5)(z, y).item() == pytest.approx(total / count)


@pytest.mark.parametrize("mining", Triplet.MINING)
def test_thousands_of_triplets_need_no_cube(mining):
    g = torch.Generator().manual_seed(0)
    z, y = torch.randn(2048, 2, generator=g).requires_grad_(), torch.arange(2048) % 10
    with torch.profiler.profile(profile_memory=True) as profile:
        Triplet(1.0, mining)(z, y).backward()
    largest = max(event.cpu_memory_usage for event in profile.events())
    assert largest < 20 * 4 * 2048**2  # of the cube's 2,048 times as much


@pytest.mark.parametrize("mining", ["all", "hard", "semihard"])
def test_the_active_share_counts_the_triplets_that_cost(mining):
    z, y = batch()
    assert Triplet(0.0, mining).active(z * 0, y) == 0  # d_ap = d_an: none costs
    assert Triplet(1.0, mining).active(z * 0, y) == 1
    shares = [Triplet(m, mining).active(z, y) for m in (0.0, 0.5, 50.0)]
    assert shares[0] <= shares[1] <= shares[2] == 1
    assert mining == "hard" or shares[0] < 1


def test_random_mining_draws_each_negative_alike():
    z, y = batch()
    margin = 50.0  # no triplet satisfies it, so the loss is linear in the distances drawn
    d = torch.cdist(z, z).square()
    pairs = [(a, p) for a, p in itertools.permutations(range(len(y)), 2) if y[a] == y[p]]
    means = [d[a, p] - d[a][y != y[a]].mean() + margin for a, p in pairs]
    spread = torch.stack([d[a][y != y[a]].var(correction=0) for a, _ in pairs]).sum().sqrt() / len(pairs)
    torch.manual_seed(0)
    drawn = torch.stack([Triplet(margin, "random")(z, y) for _ in range(3000)])
    assert drawn.mean().item() == pytest.approx(torch.stack(means).mean().item(), rel=1e-3)
    assert drawn.std().item() == pytest.approx(spread.item(), rel=0.1)  # one is drawn for each pair, not for an anchor


def test_random_mining_draws_the_first_negative_and_the_last_as_often_as_any():
    z = torch.tensor([[0.0], [0.0], *([float(10**i)] for i in range(4))], requires_grad=True)
    y, drawn = torch.tensor([0, 0, 1, 2, 3, 4]), torch.zeros(6)
    torch.manual_seed(0)
    for _ in range(600):
        (gradient,) = torch.autograd.grad(Triplet(1e4, "random")(z * 1e-2, y), z)
        drawn += gradient[:, 0] != 0
    assert drawn[2:].min() > 0.75 * drawn[2:].max(), drawn  # each in a half of the 600, less where both drew it


@pytest.mark.parametrize("margin", [0.5, 2.0])
def test_pairs_of_one_kind_alone_count_whole(margin):
    z, _ = batch(size=7)
    d = torch.pdist(z)
    torch.testing.assert_close(Contrastive(margin)(z, torch.zeros(7).long()), (d**2 / 2).mean())
    torch.testing.assert_close(Contrastive(margin)(z, torch.arange(7)), ((margin - d).clamp(min=0) ** 2 / 2).mean())


def test_a_batch_without_a_triplet_has_no_active_one():
    z, _ = batch()
    for y in (torch.zeros(24).long(), torch.arange(24)):
        assert [Triplet(1.0, mining).active(z, y) for mining in Triplet.MINING] == [0] * 4


MARGINS = [  # each loss, and what it makes of the true class's angle
    (Softmax(4, 3), None),
    (NormFace(4, 3, scale=5.0), math.cos),
    (CosFace(4, 3, margin=0.0, scale=3.0), math.cos),
    (CosFace(4, 3, margin=0.3, scale=9.0), lambda t: math.cos(t) - 0.3),
    (CosFace(4, 3, margin=2.0, scale=4.0), lambda t: math.cos(t) - 2),
    (ArcFace(4, 3, margin=0.0, scale=3.0), math.cos),
    *(
        (
            ArcFace(4, 3, margin=m, scale=6.0),
            lambda t, m=m: math.cos(t + m) if t + m <= math.pi else math.cos(t) - m * math.sin(m),
        )
        for m in (0.2, 1.0, 3.0)
    ),
    *((SphereFace(4, 3, margin=m), lambda t, m=m: (5 * math.cos(t) + slow_psi(t, m)) / 6) for m in (1, 2, 3, 4)),
]


@pytest.mark.parametrize(("loss", "target"), MARGINS)
def test_softmax_family_follows_its_formula(loss, target):
    z, y = batch()
    assert loss.double()(z, y).item() == pytest.approx(slow_softmax(loss, z, y, target))
    check_gradient(loss, z, y)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (NormFace(4, 3, scale=5.0), pml.NormalizedSoftmaxLoss(4, 3, temperature=1 / 5)),
        (CosFace(4, 3, margin=0.3, scale=9.0), pml.CosFaceLoss(4, 3, margin=0.3, scale=9.0)),
        (ArcFace(4, 3, margin=0.4, scale=6.0), pml.ArcFaceLoss(4, 3, margin=math.degrees(0.4), scale=6.0)),
        (SphereFace(4, 3, margin=3), pml.SphereFaceLoss(4, 3, margin=3, scale=1)),
    ],
)
def test_softmax_family_agrees_with_pytorch_metric_learning(ours, theirs):
    z, y = batch()
    ours, theirs = ours.double(), theirs.double()
    theirs.W.data = ours.weight.data.T.clone()
    if isinstance(ours, SphereFace):
        ours.lam = 0.0  # theirs has no annealing
    a, b = z.clone().requires_grad_(), z.clone().requires_grad_()
    values = ours(a, y), theirs(b, y)
    for value in values:
        value.backward()
    torch.testing.assert_close(*values, rtol=1e-5, atol=0)
    torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(ours.weight.grad, theirs.W.grad.T, rtol=1e-4, atol=1e-6)


def losses(dim):
    yield from (Contrastive(m) for m in (0.0, 1.0, 1e4))
    yield from (Triplet(m, mining) for m in (0.0, 1.0, 1e4) for mining in Triplet.MINING)
    yield from (Softmax(4, dim), NormFace(4, dim), NormFace(4, dim, scale=1e4))
    yield from (CosFace(4, dim, margin=m) for m in (0.0, 0.2, 2.0))
    yield from (ArcFace(4, dim, margin=m) for m in (0.0, 0.2, 2.0, math.pi))
    yield from (SphereFace(4, dim, margin=m) for m in (1, 4, 10))


def edge_batches(loss):
    z, y = batch(size=12, dim=2)
    yield "one class", z, torch.zeros_like(y)
    yield "one sample a class", z[:4], torch.arange(4)
    yield "identical", z[:1].expand(12, 2), y
    yield "zero", torch.zeros_like(z), y
    yield "huge", z * 1e4, y
    yield "one image", z[:1], y[:1]
    if isinstance(loss, Softmax):
        yield "cosine 1", loss.weight.detach()[y] * 3, y
        yield "cosine -1", loss.weight.detach()[y] * -3, y


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_edges_are_finite(dtype):
    for loss in losses(dim=2):
        for name, z, y in edge_batches(loss):
            x = z.to(dtype).detach().requires_grad_()
            loss.zero_grad()
            with torch.autocast("cpu", dtype if dtype.itemsize == 2 else torch.bfloat16, enabled=dtype.itemsize == 2):
                value = loss(x, y)
            value.backward()
            gradients = [x.grad, *(p.grad for p in loss.parameters())]
            assert value.isfinite(), (loss, name)
            assert all(g.isfinite().all() for g in gradients), (loss, name)
            assert value.dtype in (torch.float32, torch.float64)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_loss_reckons_in_float32_under_autocast(dtype):
    z, y = batch(dim=2)
    for loss in losses(dim=2):
        torch.manual_seed(0)
        x = z.to(dtype)
        expected = loss(x.float(), y)
        torch.manual_seed(0)
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(loss(x, y), expected), loss


def test_arrays_and_lists_have_the_loss_of_tensors():
    z, y = batch(dim=2)
    for loss in (Contrastive(), Triplet(), ArcFace(4, 2), Softmax(4, 2)):
        expected = loss(z, y)
        for labels in (y.numpy(), y.tolist(), y.numpy().astype(np.uint8)):
            assert torch.equal(loss(z, labels), expected)
            assert torch.equal(loss(z.numpy(), labels), expected)
        torch.testing.assert_close(loss(z.tolist(), y.tolist()), expected.float(), check_dtype=False)


def test_class_weights_are_float32_whatever_is_the_default():
    torch.manual_seed(0)
    expected = ArcFace(4, 2).weight
    torch.set_default_dtype(torch.float64)
    try:
        torch.manual_seed(0)
        assert torch.equal(ArcFace(4, 2).weight, expected)
        assert {t.dtype for t in (*EmbeddingNet().state_dict().values(), Softmax().bias)} == {
            torch.float32,
            torch.int64,
        }
    finally:
        torch.set_default_dtype(torch.float32)


def test_arcface_goes_on_falling_beyond_pi():
    theta = torch.linspace(0.01, math.pi - 0.01, 500, dtype=torch.float64)
    assert (ArcFace(margin=1.0).target(theta.cos()).diff() < 0).all()


@pytest.mark.parametrize("cos", [1.0, -1.0, 1 - 1e-7, 1 - 1e-5, 0.3])
@pytest.mark.parametrize("m", [0.1, 0.5, 2.0])
def test_arcface_is_exact_where_the_angle_is_0_or_pi(cos, m):
    c = torch.tensor([cos], dtype=torch.float64, requires_grad=True)
    theta = math.acos(cos)
    exact = math.cos(theta + m) if theta + m < math.pi else cos - m * math.sin(m)
    value = ArcFace(margin=m).target(c)
    assert value.item() == pytest.approx(exact, abs=1e-12)
    value.backward()
    assert c.grad.isfinite().all()


@pytest.mark.parametrize("sign", [1, -1])
def test_arcface_of_one_dimension_is_exact(sign):
    loss = ArcFace(2, 1, margin=0.5, scale=30.0).double()
    loss.weight.data = torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
    z = sign * loss.weight.detach()[[0, 1]] * 3  # every cosine is 1 or -1
    z.requires_grad_()
    value = loss(z, torch.tensor([0, 1]))
    target = math.cos(0.5) if sign == 1 else -1 - 0.5 * math.sin(0.5)
    assert value.item() == pytest.approx(math.log1p(math.exp(30 * (-sign - target))), rel=1e-12)
    value.backward()
    assert z.grad.isfinite().all()


def test_psi_falls_without_a_jump():
    theta = torch.linspace(0, math.pi, 5001, dtype=torch.float64)
    for m in (1, 2, 3, 4, 7):
        steps = SphereFace(margin=m).psi(theta.cos()).diff()
        assert (steps <= 1e-9).all()
        assert steps.abs().max() < 0.02


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: Contrastive(-1), "margin"),
        (lambda: Contrastive(float("nan")), "margin"),
        (lambda: Contrastive("wide"), "margin"),
        (lambda: Triplet(1, "semi-hard"), "did you mean 'semihard'"),
        (lambda: ArcFace(margin=4), "margin"),
        (lambda: CosFace(margin=-0.1), "margin"),
        (lambda: SphereFace(margin=1.5), "margin must be a whole number from 1 to 10, not 1.5"),
        (lambda: Softmax(4.5), "num_classes"),
        (lambda: Softmax(4, 0), "embed_dim"),
        (lambda: EmbeddingNet(2.5), "embed_dim"),
        (lambda: Contrastive()(torch.zeros(4, 2), torch.eye(4).long()), r"labels must be 4 .* of shape \(4, 4\)"),
        (lambda: Softmax(4)(torch.zeros(4, 2), torch.tensor([0, 1, 2, -1])), "labels must lie between 0 and 3"),
        (lambda: NormFace(scale=0), "scale"),
        (lambda: Softmax(1), "num_classes"),
        (lambda: Contrastive()(torch.zeros(4), torch.zeros(4).long()), "embeddings"),
        (lambda: Contrastive()(torch.zeros(0, 2), torch.zeros(0).long()), "embeddings"),
        (lambda: Contrastive()(torch.zeros(4, 2), torch.zeros(3).long()), "labels"),
        (lambda: Contrastive()(torch.zeros(4, 2), torch.zeros(4)), "labels"),
        (lambda: Softmax(4)(torch.zeros(4, 2), torch.tensor([0, 1, 2, 4])), "labels"),
        (lambda: Softmax(4)(torch.zeros(4, 3), torch.zeros(4).long()), "embeddings"),
    ],
)
def test_bad_input_is_named(make, argument):
    with pytest.raises(ValueError, match=argument):
        make()


def test_two_branches_give_the_loss_of_the_batch():
    torch.manual_seed(0)
    net, x, y = EmbeddingNet().eval(), torch.randn(8, 1, 28, 28), torch.arange(8) % 3
    i, j = torch.triu_indices(8, 8, 1)
    z1, z2 = SiameseNet(net)(x[i], x[j])
    d, genuine = (z1 - z2).norm(dim=1), y[i] == y[j]
    expected = (d[genuine].square() / 2).mean() / 2 + ((0.5 - d[~genuine]).relu().square() / 2).mean() / 2
    torch.testing.assert_close(Contrastive(0.5)(net(x), y), expected)


def test_three_branches_give_the_loss_of_the_batch():
    torch.manual_seed(0)
    net, x, y = EmbeddingNet().eval(), torch.randn(8, 1, 28, 28), torch.arange(8) % 3
    a, p, n = torch.tensor([t for t in itertools.permutations(range(8), 3) if y[t[0]] == y[t[1]] != y[t[2]]]).T
    za, zp, zn = TripletNet(net)(x[a], x[p], x[n])
    expected = nn.functional.relu((za - zp).square().sum(1) - (za - zn).square().sum(1) + 0.5)
    torch.testing.assert_close(Triplet(0.5)(net(x), y), expected.mean())
    assert torch.equal(net(x), SiameseNet(net).get_embedding(x))


def test_a_margin_comes_in_with_the_scale():
    z, y = batch(dim=2)
    plain = NormFace(4)
    for kind in (CosFace, ArcFace):
        loss = kind(4, margin=0.3)
        loss.weight = plain.weight
        for told in (loss, plain):
            told.anneal(0.2)
        torch.testing.assert_close(loss(z, y), plain(z, y))


def test_near_pairs_far_from_the_origin_are_as_far_apart_as_they_are():
    z = torch.tensor([[1e4, 1e4], [1e4 + 0.5, 1e4], [1e4, 1e4 + 2.0]]).repeat(20, 1)
    assert pairwise_distance(z)[0, :3].tolist() == [0, 0.5, 2]


def test_the_usual_settings_are_those_that_the_book_tells():
    assert (Contrastive().margin, Triplet().margin, Triplet().mining) == (1, 1, "all")
    assert (CosFace().margin, ArcFace().margin, SphereFace().margin) == (0.1, 0.1, 4)
    assert {kind().scale for kind in (NormFace, CosFace, ArcFace)} == {16}
    assert Softmax().bias is not None
    assert {kind.batch for kind in (Contrastive, Triplet)} == {128}
    assert {kind.batch for kind in (Softmax, NormFace, SphereFace, CosFace, ArcFace)} == {64}


def test_margin_ramp_and_lambda_annealing():
    sphere = SphereFace()
    lam = []
    for progress in (0, 0.25, 0.5, 1):
        sphere.anneal(progress)
        lam.append(sphere.lam)
    assert lam == pytest.approx([1500, 1500 / (1 + 0.1 * 1495), 5, 5])
    z, y = batch(dim=2)
    arc, cosines = ArcFace(4, margin=0.3).double(), SphereFace(4, margin=1).double()
    cosines.weight = arc.weight
    shares = []
    for progress in (0, 0.75, 0.85, 0.95, 1):
        arc.anneal(progress)
        shares.append(arc.share)
    assert shares == pytest.approx([0, 0, 0.5, 1, 1])
    many, plane, few = ArcFace(11, 3), ArcFace(11, 2), ArcFace(10, 3)
    shares = []
    for progress in (0, 0.15, 0.3, 0.85):
        many.anneal(progress)
        plane.anneal(progress)
        few.anneal(progress)
        shares.append((many.share, plane.share, few.share))
    assert np.allclose(shares, [(0, 0, 0), (0.5, 0, 0), (1, 0, 0), (1, 0.5, 0.5)])
    arc.anneal(0.2)  # before the ramp: the embedding's length, and no margin
    torch.testing.assert_close(arc(z, y), cosines(z, y))
    arc.anneal(0.96)  # after it: the formula
    torch.testing.assert_close(
        arc.logits(z, y), arc.scale * torch.where(one_hot(y, 4) == 1, arc.target(c := cosine(z, arc.weight)), c)
    )


@pytest.mark.parametrize("make", [Softmax, NormFace, SphereFace, CosFace, ArcFace])
@pytest.mark.parametrize(("classes", "length"), [(2, 1.0), (10, 1.0), (100, 0.1), (5000, 0.002)])
def test_the_weights_of_many_classes_begin_short(make, classes, length):
    weight = make(num_classes=classes, embed_dim=500).weight
    assert weight.std().item() == pytest.approx(length, rel=0.1)


@pytest.mark.parametrize(("classes", "dim", "pixels"), [(2, 2, 5), (10, 2, 784), (10, 64, 784), (300, 8, 4), (4, 1, 9)])
def test_class_weights_begin_where_the_mean_images_lie(classes, dim, pixels):
    means = torch.randn(classes, pixels, generator=torch.Generator().manual_seed(0))
    loss = NormFace(classes, dim)
    drawn = loss.weight.detach().clone()
    loss.begin(means)
    first = min(dim, classes - 1, pixels)
    weight, rest = loss.weight.detach().split([first, dim - first], dim=1)
    assert torch.equal(rest, drawn[:, first:])
    length = min(1, 10 / classes)
    centred = (means - means.mean(0)).double()
    components = centred @ torch.linalg.svd(centred, full_matrices=False).Vh[:first].T
    expected = length * components / components.pow(2).mean(0).sqrt()
    turned = expected * (expected * weight).sum(0).sign()
    torch.testing.assert_close(weight, turned.float(), atol=1e-3, rtol=1e-3)


def test_like_classes_begin_side_by_side():
    angle = torch.arange(10) * 2 * math.pi / 10
    around = torch.stack([angle.cos(), angle.sin()], 1)[torch.randperm(10)]
    loss = NormFace(10, 2)
    loss.begin(around @ torch.randn(2, 784))
    order = torch.atan2(*loss.weight.detach().T).argsort()
    theirs = torch.atan2(*around.T).argsort()
    ring = [theirs.roll(-int((theirs == order[0]).nonzero())).tolist()]
    assert order.tolist() in [*ring, [ring[0][0], *ring[0][:0:-1]]]


@pytest.mark.parametrize("make", [Contrastive, Triplet, Softmax, NormFace, SphereFace, CosFace, ArcFace])
@pytest.mark.parametrize("strange", [math.nan, math.inf])
def test_what_is_not_finite_has_no_loss(make, strange):
    z, y = torch.randn(8, 2), torch.arange(8) % 4
    z[3, 1] = strange
    with pytest.raises(ValueError, match="embeddings must be finite: 1 of 16 are NaN or infinite"):
        make()(z, y)
