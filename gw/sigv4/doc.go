// Package sigv4 verifies and makes AWS Signature Version 4 as S3 speaks it: in
// the Authorization header and in presigned URLs, over whole, unsigned and
// aws-chunked bodies, with and without trailers.
//
// The invariants:
//   - Verify says yes only if the holder of the secret signed the method, the
//     path and query as they came over the wire, the host, every x-amz-* header
//     that is present, and what it declared of the body.
//   - A Body does not return io.EOF, nor the last byte where the length is known,
//     before everything that was declared of the body has been checked: each
//     chunk's signature, the length, the trailer, the hash, the checksum. Earlier
//     bytes are handed out unchecked, so a consumer commits nothing before io.EOF.
//
// The package knows no users, buckets or permissions: the gateway supplies the
// secrets and renders Error. ECDSA signatures (SigV4A) are recognised and
// refused.
//
// See https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
package sigv4
