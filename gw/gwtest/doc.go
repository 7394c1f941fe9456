// Package gwtest is the S3 suite: it holds an endpoint against what docs/s3.md says is built, request by request, down to
// headers, error codes and elements of documents. It runs against anything that speaks S3 over HTTP: the gateway in the
// process of a test, a holdfast binary, or another store to compare with.
//
// Its invariant: it knows the endpoint by its answers alone, works in buckets of its own with random names, and removes them.
// Credentials must be allowed to make buckets. Most requests are made by hand and signed with gw/sigv4, so that what goes
// over the wire is what the test says; real SDKs (aws-sdk-go-v2, minio-go) have tests of their own in it.
//
// It is not a load or a fault test.
package gwtest
