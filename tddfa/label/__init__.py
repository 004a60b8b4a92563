"""From pictures, archives and videos to tables of faces: data sets of any size.

::

    inputs -> plan (shards) -> workers: decode -> detect -> align -> measure -> Parquet
                  |                                                     |
                  `------------- manifest: what is done  <--------------'
"""
