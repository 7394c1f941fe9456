// Package accesslog delivers server access logs: for each request to a bucket that asks for it, a line in the format of S3
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html), in objects of the bucket that it names.
//
// Lines are gathered in memory and delivered when there are enough of them, or when the first is a while old, or when the log is closed.
// As in S3 delivery is best effort: the lines of a process that crashes are lost, and so are those that do not fit into memory while their
// target bucket cannot be written; what is lost for the latter reason is counted. Requests never wait for it.
package accesslog
