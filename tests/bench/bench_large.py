"""A data set larger than memory: 1,000,000 synthetic 32x32 pictures train; how much memory that takes, and how fast.

    nice .venv/bin/python tests/bench/bench_large.py [--count 1000000] [--folder FOLDER]

Writes the pictures (RGB discs, each of its own colours, place and size, as PPM files in one parquet file of 3.1 GB)
and starts three trainings of a small GAN, each a fresh process: one that decodes the pictures into a file, one that
finds it, and one on a thousandth of the pictures, which are in memory. Prints for each the seconds up to the first
step, images/s from then on, and the peak of its resident memory (VmHWM, which counts mapped pages too).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet

ROOT = Path(__file__).resolve().parents[2]
SIZE, GROUP, TEST = 32, 10_000, 1000
LIMIT = 2e9
TRAIN = """
import json, sys, time
from pathlib import Path
from gencore.presets import Run
from gencore.train import train
data, out = sys.argv[1:]
settings = {"images": 20_000, "batch": 100, "dtype": "float32", "layout": "contiguous", "threads": 1, "timelapse": 0}
start = time.perf_counter()
steps = train(Run("gan", data, {"widths": (8, 8, 8), "probe_widths": (8, 8, 8)}, settings), Path(out))
next(steps)
ready = time.perf_counter() - start
*_, last = steps
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
run = json.loads(Path(out, "run.json").read_text())
print(json.dumps([run["train_images"], round(ready, 1), round(last.images_per_s), int(peak.split()[1]) * 1024]))
"""


def pictures(places):
    """Discs of one colour on a ground of another, uint8 (n, 32, 32, 3); another one for each place."""
    random = np.random.default_rng(places.start)
    ground, ink = random.integers(0, 256, (2, len(places), 1, 1, 3), np.uint8)
    x, y, radius = random.uniform((8, 8, 3), (24, 24, 8), (len(places), 3)).astype(np.float32).T[..., None, None]
    rows, columns = np.ogrid[:SIZE, :SIZE]
    return np.where(((rows - y) ** 2 + (columns - x) ** 2 < radius**2)[..., None], ink, ground)


def write(path, places):
    """Write pictures as PPM files in a table, a row group at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
    with pyarrow.parquet.ParquetWriter(path, pyarrow.schema({"image": cells}), compression="none") as file:
        for start in range(places.start, places.stop, GROUP):
            found = pictures(range(start, min(start + GROUP, places.stop)))
            part = [{"bytes": b"P6 %d %d 255\n" % (SIZE, SIZE) + one.tobytes(), "path": None} for one in found]
            file.write_table(pyarrow.table({"image": pyarrow.array(part, cells)}))


def trained(words, data, folder):
    env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "GENCORE_CACHE": str(folder / "cache")}
    command = [sys.executable, "-c", TRAIN, str(data), str(folder / words.replace(" ", "-"))]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    images, ready, speed, peak = json.loads(done.stdout)
    print(f"{words}: {images:,} images, first step after {ready} s, {speed:,} images/s, peak {peak / 1e6:,.0f} MB")
    return peak


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="kept if it is given; it holds the pictures of an earlier run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        for name, count in (("large", options.count), ("small", options.count // 1000)):
            if not (folder / name / "validation.parquet").exists():
                start = time.perf_counter()
                write(folder / name / "train.parquet", range(count))
                for place, split in enumerate(("test", "validation")):
                    write(folder / name / f"{split}.parquet", range(count + place * TEST, count + (place + 1) * TEST))
                print(f"{count:,} pictures made in {time.perf_counter() - start:.0f} s")
        with tempfile.TemporaryDirectory(dir=folder) as work:
            peaks = [trained(words, folder / "large", Path(work)) for words in ("decoded", "found")]
            trained("in memory", folder / "small", Path(work))
    print(f"within {LIMIT / 1e9:.0f} GB: {'yes' if max(peaks) < LIMIT else 'NO'}")


if __name__ == "__main__":
    main()
