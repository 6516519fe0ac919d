/* SPDX-License-Identifier: MIT */
#include "tests/sim/schema.h"

#include <pthread.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cJSON *hidden; /* owned: an array, or NULL */

/* A type, and its fields; "name:Type" where the field is an object or a list
 * of them.  clang-format would make this unreadable. */
/* clang-format off */
static const struct {
	const char *type;
	const char *fields;
} types[] = {
	{"Query",
	 " events:Event eventListeners:EventListener shipments:Shipment"
	 " productSizes:ProductSize returns:Return orders:Order warehouses:Warehouse brickAndMortars:BrickAndMortar"
	 " rateLimits:RateLimit centraIPs __typename __type:__Type "},
	{"Mutation",
	 " confirmOrder:OrderPayload createShipment:ShipmentPayload"
	 " captureShipment:CapturePayload completeShipment:ShipmentPayload"
	 " updateShipment:ShipmentPayload setOrdersLock:OrdersPayload"
	 " updateDirectToConsumerOrder:OrderPayload setStock:StockPayload"
	 " createReturn:ReturnPayload"
	 " setEventListeners:ListenersPayload confirmEvents:EventsPayload "},
	{"Event",
	 " id objectType changeType objectReference createdAt "},
	{"EventListener",
	 " integrationName objectType changeTypes createdAt updatedAt "},
	{"Return", " __typename id lines:ReturnLine shipment:Shipment "},
	{"DirectToConsumerReturn",
	 " __typename id returnStatus lines:ReturnLine shipment:Shipment "},
	{"ListenersPayload",
	 " eventListeners:EventListener userErrors:UserError"
	 " userWarnings:UserError "},
	{"EventsPayload", " userErrors:UserError userWarnings:UserError "},
	{"Order",
	 " __typename id number status isOnHold isLocked createdAt updatedAt"
	 " orderDate shippingAddress:Address lines:OrderLine"
	 " paymentHistory:PaymentHistoryEntry shipments:Shipment "},
	{"DirectToConsumerOrder",
	 " __typename id number status isOnHold isLocked createdAt updatedAt"
	 " orderDate shippingAddress:Address lines:OrderLine"
	 " paymentHistory:PaymentHistoryEntry shipments:Shipment orderHoldReason customer:Customer "},
	{"Address",
	 " firstName lastName companyName attention address1 address2 zipCode"
	 " city stateOrProvince cellPhoneNumber phoneNumber email"
	 " country:Country "},
	{"Country", " code name "},
	{"Customer", " id email "},
	{"OrderLine",
	 " __typename id quantity cancelledQuantity returnedQuantity size"
	 " productNumber productName productVariantName comment"
	 " product:Product productSize:ProductSize allocations:Allocation "},
	{"ProductOrderLine",
	 " __typename id quantity cancelledQuantity returnedQuantity size"
	 " productNumber productName productVariantName comment"
	 " product:Product productSize:ProductSize allocations:Allocation "},
	{"BundleItemOrderLine",
	 " __typename id quantity cancelledQuantity returnedQuantity size"
	 " productNumber productName productVariantName comment"
	 " product:Product productSize:ProductSize allocations:Allocation "},
	{"BundleOrderLine",
	 " __typename id quantity cancelledQuantity returnedQuantity size"
	 " productNumber productName productVariantName comment"
	 " product:Product productSize:ProductSize allocations:Allocation "},
	{"Product", " name "},
	{"ProductSize",
	 " id SKU EAN UPC description sizeNumber stock:Stock "},
	{"Stock",
	 " physicalQuantity allocatedQuantity freeToAllocateQuantity "},
	{"Allocation",
	 " id quantity isWaitingForConfirmation warehouse:Warehouse "},
	{"Warehouse",
	 " id name status allocationPolicy brickAndMortar:BrickAndMortar "},
	{"BrickAndMortar",
	 " id name displayName status address warehouse:Warehouse "},
	{"RateLimit",
	 " type intervalSeconds quota usedQuota remainingQuota "},
	{"Shipment",
	 " __typename id number createdAt isGoodToGo isPrinted isShipped"
	 " isOnHold isPaid isCaptured trackingNumber numberOfPackages"
	 " shippedAt carrierInformation:CarrierInformation"
	 " lines:ShipmentLine "},
	{"DirectToConsumerShipment",
	 " __typename id number createdAt isGoodToGo isPrinted isShipped"
	 " isOnHold isPaid isCaptured trackingNumber numberOfPackages"
	 " shippedAt carrierInformation:CarrierInformation"
	 " lines:ShipmentLine "},
	{"ShipmentLine", " id quantity orderLine:OrderLine "},
	{"ReturnPayload",
	 " return:Return userErrors:UserError userWarnings:UserError "},
	{"ReturnLine", " id "},
	{"CarrierInformation", " carrierName serviceName "},
	{"OrderPayload",
	 " order:Order userErrors:UserError userWarnings:UserError "},
	{"StockPayload",
	 " stockChanges:StockChange userErrors:UserError"
	 " userWarnings:UserError "},
	{"StockChange", " id "},
	{"OrdersPayload",
	 " orders:Order userErrors:UserError userWarnings:UserError "},
	{"ShipmentPayload",
	 " shipment:Shipment userErrors:UserError userWarnings:UserError "},
	{"CapturePayload",
	 " paymentHistoryEntry:PaymentHistoryEntry shipment:Shipment"
	 " userErrors:UserError userWarnings:UserError "},
	{"PaymentHistoryEntry", " id status entryType value:MonetaryValue "},
	{"MonetaryValue", " value formattedValue "},
	{"UserError", " __typename message path "},
	{"__Type",
	 " kind name fields:__Field inputFields:__InputValue"
	 " enumValues:__EnumValue ofType:__Type "},
	{"__Field", " name args:__InputValue type:__Type "},
	{"__InputValue", " name type:__Type "},
	{"__EnumValue", " name "},
};
/* clang-format on */

static const struct {
	const char *type, *field, *permission;
} guarded[] = {
	{"Query", "orders", "Order:read"},
	{"Query", "warehouses", "Warehouse:read"},
	{"Query", "brickAndMortars", "BrickAndMortar:read"},
	{"Mutation", "confirmOrder", "Order:write"},
	{"Mutation", "createShipment", "Shipment:write"},
	{"Mutation", "captureShipment", "Shipment:write"},
	{"Mutation", "completeShipment", "Shipment:write"},
	{"Mutation", "updateShipment", "Shipment:write"},
	{"Mutation", "setOrdersLock", "Order.isLocked:write"},
	{"Mutation", "updateDirectToConsumerOrder", "Order:write"},
	{"Mutation", "createReturn", "Return:write"},
	{"Mutation", "setEventListeners", "Event:write"},
	{"Mutation", "confirmEvents", "Event:write"},
	{"Mutation", "setStock", "StockChange:write"},
	{"StockPayload", "stockChanges", "StockChange:read"},
	{"Query", "events", "Event:read"},
	{"Query", "eventListeners", "Event:read"},
	{"Query", "shipments", "Shipment:read"},
	{"Query", "returns", "Return:read"},
	{"Order", "shippingAddress", "Order.shippingAddress:read"},
	{"Order", "shipments", "Shipment:read"},
	{"Order", "paymentHistory", "PaymentHistory:read"},
	{"DirectToConsumerOrder", "shippingAddress",
	 "Order.shippingAddress:read"},
	{"DirectToConsumerOrder", "shipments", "Shipment:read"},
	{"DirectToConsumerOrder", "paymentHistory", "PaymentHistory:read"},
	{"DirectToConsumerOrder", "customer", "Customer:read"},
	{"Query", "productSizes", "ProductSize:read"},
	{"ProductSize", "stock", "ProductSize.stock:read"},
	{"OrderLine", "product", "Product:read"},
	{"OrderLine", "productSize", "ProductSize:read"},
	{"Allocation", "warehouse", "Warehouse:read"},
	{"Warehouse", "brickAndMortar", "BrickAndMortar:read"},
	{"BrickAndMortar", "warehouse", "Warehouse:read"},
	{"ShipmentLine", "orderLine", "Order:read"},
	{"OrderPayload", "order", "Order:read"},
	{"OrdersPayload", "orders", "Order:read"},
	{"ShipmentPayload", "shipment", "Shipment:read"},
	{"ReturnPayload", "return", "Return:read"},
	{"CapturePayload", "shipment", "Shipment:read"},
	{"CapturePayload", "paymentHistoryEntry", "PaymentHistory:read"},
};

const char *schema_permission(const char *type, const char *field)
{
	for (size_t i = 0; i < sizeof(guarded) / sizeof(guarded[0]); i++)
		if (!strcmp(guarded[i].type, type) &&
		    !strcmp(guarded[i].field, field))
			return guarded[i].permission;
	return NULL;
}

const char *schema_fields(const char *type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].type, type))
			return types[i].fields;
	return NULL;
}

/* The known name of a type that starts at s. */
static const char *type_at(const char *s)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t n = strlen(types[i].type);

		if (!strncmp(s, types[i].type, n) && s[n] == ' ')
			return types[i].type;
	}
	return "";
}

void schema_hide(const cJSON *list)
{
	pthread_mutex_lock(&lock);
	cJSON_Delete(hidden);
	hidden = list ? must(cJSON_Duplicate(list, 1)) : NULL;
	pthread_mutex_unlock(&lock);
}

bool schema_is_hidden(const char *type, const char *name)
{
	bool found = false;
	char text[200];
	const cJSON *v;

	snprintf(text, sizeof(text), "%s%s%s", type, *name ? "." : "", name);
	pthread_mutex_lock(&lock);
	cJSON_ArrayForEach(v, hidden)
		found = found || !strcmp(v->valuestring, text);
	pthread_mutex_unlock(&lock);
	return found;
}

const char *schema_child(const char *type, const char *field)
{
	const char *list = schema_fields(type), *at = list;
	size_t n = strlen(field);

	if (schema_is_hidden(type, field))
		return NULL;
	while (at && (at = strstr(at, field))) {
		if (at[-1] == ' ' && at[n] == ' ')
			return "";
		if (at[-1] == ' ' && at[n] == ':')
			return type_at(at + n + 1);
		at += n;
	}
	return NULL;
}

const char *schema_check(const struct field *f, const char *type,
			 char ret[200])
{
	for (; f; f = f->next) {
		const char *child = f->name ? schema_child(type, f->name)
				    : schema_fields(f->alias) ? f->alias
							  : NULL;

		if (!child)
			snprintf(ret, 200,
				 f->name ? "Cannot query field \"%s\" on type "
					   "\"%s\"."
					 : "Unknown type \"%s\" in \"%s\".",
				 f->name ? f->name : f->alias, type);
		else if (!*child && f->children)
			snprintf(ret, 200, "Field \"%s\" is a leaf.", f->name);
		else if (*child && !f->children)
			snprintf(ret, 200, "Field \"%s\" needs a selection.",
				 f->name ? f->name : f->alias);
		else if (!schema_check(f->children, child, ret))
			continue;
		return ret;
	}
	return NULL;
}

static void cut_into(cJSON *o, const struct field *f, const cJSON *full)
{
	for (; f; f = f->next) {
		if (!f->name)
			cut_into(o, f->children, full);
		else if (!cJSON_HasObjectItem(o, f->alias))
			cJSON_AddItemToObject(
				o, f->alias,
				schema_cut(f->children,
					   cJSON_GetObjectItemCaseSensitive(
						   full, f->name)));
	}
}

cJSON *schema_cut(const struct field *f, const cJSON *full)
{
	cJSON *v;
	const cJSON *c;

	if (!full || cJSON_IsNull(full))
		return must(cJSON_CreateNull());
	if (cJSON_IsArray(full) && f) {
		v = must(cJSON_CreateArray());
		cJSON_ArrayForEach(c, full)
			cJSON_AddItemToArray(v, schema_cut(f, c));
		return v;
	}
	if (!f)
		return must(cJSON_Duplicate(full, 1));
	v = must(cJSON_CreateObject());
	cut_into(v, f, full);
	return v;
}
