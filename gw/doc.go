// Package gw is the S3 gateway: it turns HTTP requests into calls of a volume and answers as S3 does.
//
// A request goes top to bottom through one place, [Gateway.ServeHTTP]: admit, name the operation (s3api), authenticate
// (sigv4, sigv2), authorise, run the operation's handler, answer. Handlers are one per S3 operation, listed in one table
// (handlers.go), and each is read from top to bottom: parse what the client said, call the volume, write the answer.
//
// Its invariant: it keeps no state that a second gateway would have to know; two gateways on one volume are as good as one. Whatever a
// client sends ends in an S3 answer with a request id, and a refused request changes nothing.
package gw
