"""Reads streams of many accounts into Parquet: a folder for each stream, and in it one for each account.

spark-submit load_accounts.py ACCOUNTS OUTPUT [--streams tickets,conversations] [--option NAME=VALUE …]
"""

from argparse import ArgumentParser

from pyspark.sql import SparkSession

from taps.spark import SingerDataSource


def setting(text: str) -> tuple[str, str]:
    """Read an option of the data source; argparse tells the user of one that is none."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(text)
    return name, value


parser = ArgumentParser()
parser.add_argument("accounts", help="a JSON file on the driver, with a name and settings for each account")
parser.add_argument("output", help="a folder in any file system that Spark can write to")
parser.add_argument("--tap", default="tap-helpdesk")
parser.add_argument("--streams", default="tickets,conversations", help="with commas between")
parser.add_argument(
    "--option", action="append", default=[], type=setting, metavar="NAME=VALUE", help="of the data source or the tap"
)
arguments = parser.parse_args()

spark = (
    SparkSession.builder.appName(f"load {arguments.streams} of {arguments.tap}")
    # Spark's own default is a form of time that other readers of Parquet do not know as UTC.
    .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    .getOrCreate()
)
spark.dataSource.register(SingerDataSource)
options = dict(arguments.option) | {"tap": arguments.tap, "accounts": arguments.accounts}
for stream in arguments.streams.split(","):
    rows = spark.read.format("singer").options(**options).option("stream", stream).load()
    # Replaces the accounts that were read, once all of them have been, and leaves others as they are.
    files = rows.write.partitionBy("account").mode("overwrite")
    files.option("partitionOverwriteMode", "dynamic").parquet(f"{arguments.output}/{stream}")
spark.stop()
