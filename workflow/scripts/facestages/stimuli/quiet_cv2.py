"""OpenCV that is silent and keeps to one thread; import ``cv2`` from here.

What matters is said in an error, and pictures are shared out one a thread.
"""

import os

# Read when OpenCV is imported, and when it opens its first video; -8 is silence. A user's own
# settings stand.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2  # noqa: E402

cv2.setNumThreads(1)

__all__ = ["cv2"]
