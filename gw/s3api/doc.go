// Package s3api is the letter of the S3 REST API: everything about a request and an answer that can be decided without
// storage. It names the operations and routes requests to them, parses targets, names, headers, query parameters and XML
// bodies, and writes XML answers and errors.
//
// The invariant: whatever a client sends, each parser here either returns a value inside the limits named in this package
// or an [*Error] that S3 itself would give; nothing panics, nothing is read without a bound, and nothing that would
// change a response's framing (CR, LF, other control characters) passes into a header.
//
// It imports std and the vocabulary of the root package alone. It is not a server: it holds no state, starts no goroutine,
// authenticates and authorises nobody, and knows no bucket. The rules follow the Amazon S3 API Reference (API version
// 2006-03-01) and, for plain HTTP, RFC 9110; where observed behaviour and the reference differ, the comment at the rule
// says which was chosen and why.
//
// Every function that can fail returns an error whose chain holds an [*Error], ready for [WriteError].
package s3api
