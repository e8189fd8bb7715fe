"""The cat classifier: the course's L-layer network on pictures, cat or no cat.

Run it:  python examples/cat.py train_catvnoncat.h5 test_catvnoncat.h5 [epochs]

The files hold ``train_set_x (m, h, w, c)``, ``train_set_y (m,)`` and the same for the test. They
are not part of dagnet; bring your own.
"""

import sys
import time

import numpy as np

import dagnet as dn


def main(train_path, test_path, epochs=2500):
    train = dn.data.load(train_path, part="train")
    test = dn.data.load(test_path, part="test", classes=train.classes)
    print(train)
    print(test)

    # 12288 -> 20 -> 7 -> 5 -> 1 for pictures of 64 x 64 x 3. The weights of the course come from
    # numpy's legacy stream with the seed 1, divided by the root of the number of inputs: "lecun".
    model = dn.mlp([train.X.shape[0], 20, 7, 5, 1], init="lecun", seed=np.random.RandomState(1))

    start = time.perf_counter()
    history = model.fit(
        train.X,  # bytes from 0 to 255; the scaling becomes part of the model
        train.Y,
        epochs=int(epochs),
        optimizer=dn.SGD(0.0075),
        scaling=dn.data.Divide(255),
        log_every=100,
        progress=False,
    )
    for row in zip(history["epoch"], history["cost"], history["accuracy"], strict=True):
        print("epoch {:4d}  cost {:.6f}  accuracy {:.3f}".format(*row))
    print(f"{time.perf_counter() - start:.1f} s")

    # Raw pictures again: the model divides by 255 itself.
    print(f"train accuracy {model.evaluate(train.X, train.Y)['accuracy']:.4f}")
    print(f"test accuracy  {model.evaluate(test.X, test.Y)['accuracy']:.4f}")

    probability = model.predict(test.X)[0]
    wrong = np.flatnonzero((probability > 0.5) != (test.Y[0] > 0.5))
    print(f"wrong test pictures: {wrong.tolist()}")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: python cat.py TRAIN.h5 TEST.h5 [EPOCHS]")
    main(*sys.argv[1:])
