// Package volume is the one way to a volume's data: it finds the name server of a directory by slot and the object
// server of a link, resolves paths, and runs the sequences of calls that make a put, a read, a delete, a copy, a
// multipart upload or a listing, with their retries across fail-over. The S3 gateway and the file mount stand on it.
//
// Its invariants: what it acknowledges is durable and reachable under the key it was given; what it failed to commit is
// never visible and its bytes are given up by fate, never by guess; every read and listing answers from the name
// servers and not from a cache (the path cache saves steps, it never decides that something does not exist).
//
// It is not a protocol: it knows no HTTP, no XML and no permissions. A key is a string of 1 to 1024 bytes, a user is
// an id, a bucket's settings are bytes. Callers authorise first, with the [Bucket.Info] they hold.
//
// # How to use it
//
// A request asks for its [Bucket] once and works with that: the bucket's record was checked against its name server
// when [Volume.Bucket] returned. All methods are safe for concurrent use. Entries and records that come back
// are the caller's to read and to keep; byte slices and headers in them are shared and must not be changed.
//
// Errors are [*holdfast.Error]; the Kinds that mean something to a caller beyond the usual ones (Invalid, TooLarge, Aborted,
// Unavailable, Overload, NoSpace, Unknown) are told at each method. What could be retried has been retried for
// [Options.RetryFor] when an error comes back.
package volume
