// Package s3admin is the command line of the administrator of an S3 store: users, their keys, service accounts, and buckets by force. It
// answers as "holdfast s3-admin" and, under the name other products of the kind use, as "ostor-s3-admin".
//
// Every command is one or a few requests to the management API on the S3 endpoint, signed with the keys of a system user (see
// docs/admin.md). The package keeps no state, reads nothing of the store, and decides nothing: what it prints is what a gateway answered.
//
// Output comes in three forms: the text that scripts written for ostor-s3-admin read, XML with -X where that has it, and the
// answers of the API with --json.
package s3admin
