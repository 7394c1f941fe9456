// Package checksum implements the integrity values of the S3 API: the
// additional checksums CRC32, CRC32C, CRC64NVME, SHA1 and SHA256 that clients
// send in x-amz-checksum-* headers or trailers, the checksums of multipart
// objects made from those of their parts, and Content-MD5.
//
// The invariant: a Value that came out of this package has the length its
// Algorithm says, so comparing and printing one cannot fail.
//
// The package decides nothing about requests beyond the headers that speak of
// checksums, does no I/O and keeps no state; everything is safe for concurrent
// use except the hashes that Algorithm.New returns.
//
// See "Checking object integrity" in the Amazon S3 User Guide:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
package checksum
