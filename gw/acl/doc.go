// Package acl knows the access control lists of S3: who was granted which of the five rights on a bucket or an object, how requests say so
// (canned lists, grant headers, documents) and how a list is stored.
//
// A [List] holds users by id and never by e-mail address: what a client names is resolved before it becomes a list, through a
// [Directory]. The package is pure apart from that. It does not decide requests: public access blocks, ownership, policies and which
// right an operation needs are the gateway's.
//
// See https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html.
package acl
