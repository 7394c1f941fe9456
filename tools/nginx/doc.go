// Package nginx is the command line that puts nginx in front of gateways: "holdfast configure-nginx", and under the name that operators of
// other products of the kind know, "ostor-configure-nginx".
//
// It owns one file, which it makes whole from an operator's settings and the gateways there are, and replaces only if nginx accepts it.
// nginx then loads it without dropping a connection. It reads nothing of the store and starts no nginx.
package nginx
