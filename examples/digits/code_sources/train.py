"""Softmax regression on scikit-learn's handwritten digits, by plain numpy. Knows nothing of plotter2.

Writes out/metrics.csv (one line an epoch), out/weights/step_00000.npy (the weights of every k-th step, as ten 8 x 8
images side by side: 16 rows, 40 columns) and out/summary.json. The same arguments give the same files.
"""

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

CLASSES = 10
SIDE = 8
BATCH = 64
DECAY = 1e-4


def softmax(scores):
    scores = scores - scores.max(axis=1, keepdims=True)
    exponent = np.exp(scores)
    return exponent / exponent.sum(axis=1, keepdims=True)


def measure(weights, bias, images, labels):
    chances = softmax(images @ weights + bias)
    loss = -np.log(chances[np.arange(len(labels)), labels] + 1e-12).mean()
    return float(loss), float((chances.argmax(axis=1) == labels).mean())


def mosaic(weights):
    """The 64 x 10 weight matrix as two rows of five 8 x 8 images, one a digit."""
    tiles = weights.T.reshape(2, 5, SIDE, SIDE)
    return tiles.transpose(0, 2, 1, 3).reshape(2 * SIDE, 5 * SIDE)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lr", type=float, default=0.1, help="learning rate, above 0")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=int, default=20, help="keep the weights of every so many steps")
    parser.add_argument("--out", type=Path, default=Path("out"))
    given = parser.parse_args()
    if not given.lr > 0:
        parser.error(f"--lr must be above 0, not {given.lr}")
    return given


def main():
    given = arguments()
    chance = np.random.default_rng(given.seed)
    digits = load_digits()
    images, test_images, labels, test_labels = train_test_split(
        digits.data / 16.0, digits.target, test_size=0.25, random_state=0, stratify=digits.target
    )
    (given.out / "weights").mkdir(parents=True, exist_ok=True)
    weights = chance.normal(0.0, 0.01, (SIDE * SIDE, CLASSES))
    bias = np.zeros(CLASSES)
    truth = np.eye(CLASSES)
    step = 0
    started = time.perf_counter()
    with (given.out / "metrics.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["epoch", "train_loss", "test_loss", "train_accuracy", "test_accuracy"])
        for epoch in range(1, given.epochs + 1):
            order = chance.permutation(len(labels))
            for start in range(0, len(order), BATCH):
                if step % given.every == 0:
                    np.save(given.out / "weights" / f"step_{step:05d}.npy", mosaic(weights))
                chosen = order[start : start + BATCH]
                error = softmax(images[chosen] @ weights + bias) - truth[labels[chosen]]
                weights -= given.lr * (images[chosen].T @ error / len(chosen) + DECAY * weights)
                bias -= given.lr * error.mean(axis=0)
                step += 1
            train_loss, train_accuracy = measure(weights, bias, images, labels)
            test_loss, test_accuracy = measure(weights, bias, test_images, test_labels)
            table.writerow(
                [epoch, *(f"{value:.6f}" for value in (train_loss, test_loss, train_accuracy, test_accuracy))]
            )
            file.flush()
            print(f"epoch {epoch:3d}  loss {train_loss:.4f}  test accuracy {test_accuracy:.4f}", flush=True)
    np.save(given.out / "weights" / f"step_{step:05d}.npy", mosaic(weights))
    summary = {
        "lr": given.lr,
        "epochs": given.epochs,
        "seed": given.seed,
        "steps": step,
        "test_accuracy": test_accuracy,
    }
    (given.out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    print(f"{step} steps in {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    main()
