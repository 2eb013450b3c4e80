"""The face of external partners: releases, and no field in which an identity could stand."""
