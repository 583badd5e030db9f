"""Keep the runs of `credreport export` in a folder: each complete or absent.

`run` has the steps of a run. It uses the folder of runs (`run_folders`), the inputs of a run
(`inputs`), and the outputs of a run (`outputs`). Only the command line may import this package. It
calls sources, writers and `aws`, and knows neither boto3 nor options.

A run is built in a hidden folder, synchronized to disk and renamed as the last step. Functions that
write raise OutputFailed or Busy, and leave visible runs as they were.
"""
