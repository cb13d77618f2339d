"""OpenCV, silent and in one thread; import ``cv2`` from here.

OpenCV's lines repeat what facestages' errors tell, and facestages has a thread for each picture.
"""

import os

# OpenCV reads these when it is imported and when it opens its first video; -8 is silence. Settings
# of the user are kept.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
# Videos are read from files of these formats. FFmpeg also takes lists of other files, and pictures.
os.environ.setdefault(
    "OPENCV_FFMPEG_CAPTURE_OPTIONS",
    "protocol_whitelist;file|format_whitelist;avi,mov,mp4,m4v,matroska,mpeg,mpegvideo,mpegts,asf",
)

import cv2  # noqa: E402

cv2.setNumThreads(1)

__all__ = ["cv2"]
