// Package form reads what a browser posts to a bucket: a multipart/form-data body with the fields of the upload, the file behind
// them, and among the fields the policy document that says what whoever signed it lets be uploaded
// (https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html, RFC 7578).
//
// The invariant: memory is bounded by the fields, [MaxFields] bytes, whatever is sent; the file is read through and never kept. A
// file that the form does not end properly fails with an error before io.EOF, so that half a form is never taken for a whole
// one.
//
// It verifies no signature and knows no bucket; errors are those of S3 (*s3api.Error), or the reader's own.
package form
