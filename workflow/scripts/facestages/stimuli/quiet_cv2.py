"""OpenCV, silent and in one thread; import ``cv2`` from here.

OpenCV's lines repeat what facestages' errors tell, and facestages has a thread for each picture.
"""

import os

# OpenCV reads these when it is imported and when it opens its first video; -8 is silence. Settings
# of the user are kept.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2  # noqa: E402

cv2.setNumThreads(1)

__all__ = ["cv2"]
