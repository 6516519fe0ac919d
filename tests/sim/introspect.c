/* SPDX-License-Identifier: MIT */
#include "tests/sim/introspect.h"

#include <string.h>

#include "tests/sim/schema.h"

/* clang-format off */
/* Of the field: its arguments as "name:Type". */
static const struct {
	const char *type, *field, *args;
} arguments[] = {
	{"Query", "orders", "where:OrderFilter sort:OrderSort limit:Int page:Int"},
	{"Query", "warehouses", "where:WarehouseFilter sort:WarehouseSort limit:Int page:Int"},
	{"Query", "productSizes", "where:ProductSizeFilter limit:Int page:Int"},
	{"ProductSize", "stock", "where:StockFilter limit:Int page:Int"},
	{"Query", "brickAndMortars", "limit:Int page:Int"},
	{"Query", "__type", "name:String"},
	{"Query", "events", "where:EventFilter limit:Int"},
	{"Query", "shipments", "where:ShipmentFilter limit:Int page:Int"},
	{"Query", "returns", "where:ReturnFilter limit:Int page:Int"},
	{"Mutation", "setEventListeners", "input:EventListenerSetInput"},
	{"Mutation", "confirmEvents", "input:EventConfirmInput"},
	{"Mutation", "setOrdersLock", "input:OrdersLockInput"},
	{"Mutation", "setStock", "input:StockSetInput"},
	{"Mutation", "confirmOrder", "input:OrderConfirmInput"},
	{"Mutation", "createShipment", "input:ShipmentCreateInput"},
	{"Mutation", "createReturn", "input:ReturnCreateInput"},
	{"Mutation", "captureShipment", "id:Int"},
	{"Mutation", "completeShipment", "id:Int input:ShipmentCompleteInput"},
	{"Mutation", "updateShipment", "id:Int input:ShipmentUpdateInput"},
};

static const struct {
	const char *type, *members;
} inputs[] = {
	{"OrderFilter", "number:Int isWaitingForCheckFirstAllocation:Boolean id:String status:OrderStatus isOnHold:Boolean orderHoldReason:OrderHoldReason isLocked:Boolean"},
	{"WarehouseFilter", "id:Int"},
	{"ProductSizeFilter", "id:Int EAN:StringMatch UPC:StringMatch SKU:StringMatch isActive:Boolean"},
	{"StringMatch", "equals:String"},
	{"StockFilter", "warehouseId:Int productSizeId:Int"},
	{"EventFilter", "objectType:EventObjectType changeType:EventChangeType"},
	{"ShipmentFilter", "id:Int number:String"},
	{"ReturnFilter", "id:Int"},
	{"EventListenerSetInput", "objectType:EventObjectType changeTypes:EventChangeType"},
	{"EventConfirmInput", "eventsIds:Int"},
	{"OrdersLockInput", "orders:OrderInput isLocked:Boolean"},
	{"StockSetInput", "warehouse:WarehouseInput description:String stockQuantityType:StockQuantityType productSizes:StockSetProductSizeInput"},
	{"WarehouseInput", "id:Int"},
	{"StockSetProductSizeInput", "productSize:ProductSizeInput quantity:Int"},
	{"ProductSizeInput", "id:Int SKU:String EAN:String UPC:String any:String"},
	{"OrderInput", "id:String number:Int"},
	{"OrderLineInput", "id:Int"},
	{"OrderConfirmInput", "order:OrderInput"},
	{"ShipmentLineInput", "orderLine:OrderLineInput quantity:Int"},
	{"ShipmentInfoInput", "carrier:String service:String packagesNumber:Int trackingNumber:String returnTrackingNumber:String"},
	{"ShipmentCreateInput", "order:OrderInput lines:ShipmentLineInput isGoodToGo:Boolean isPaid:Boolean capture:Boolean shipmentInfo:ShipmentInfoInput"},
	{"ShipmentInput", "id:Int number:String"},
	{"ReturnShipmentLineInput", "id:Int"},
	{"ReturnLineCreateInput", "shipmentLine:ReturnShipmentLineInput quantity:Int"},
	{"WarehouseInput", "id:Int"},
	{"StockPolicyActionInput", "removeItemsFromStock:Boolean sendItemsToDifferentWarehouse:WarehouseInput releaseItemsBackToWarehouse:Boolean"},
	{"ReturnCreateInput", "shipment:ShipmentInput lines:ReturnLineCreateInput returnStockActionPolicy:StockPolicyActionInput returnCost:Float comment:String createdAt:DateTimeTz externalId:String"},
	{"ShipmentUpdateInput", "shipmentInfo:ShipmentInfoInput additionalMessage:String isGoodToGo:Boolean isPaid:Boolean"},
	{"ShipmentCompleteInput", "shippedAt:DateTimeTz sendEmail:Boolean additionalMessage:String shipmentInfo:ShipmentInfoInput"},
};

static const struct {
	const char *type, *values;
} enums[] = {
	{"OrderStatus", "PENDING CONFIRMED PROCESSING SHIPPED CANCELLED ARCHIVED"},
	{"EventObjectType", "Order Shipment Return StockChange Warehouse BrickAndMortar Customer Product PaymentHistoryEntry"},
	{"EventChangeType", "CREATED UPDATED COMPLETED DELETED DEPENDENT_DATA_CHANGED"},
	{"OrderSort", "number_ASC number_DESC id_ASC createdAt_ASC"},
	{"WarehouseSort", "id_ASC id_DESC"},
	{"OrderHoldReason", "PAYMENT_MISMATCH WAITING_FOR_PAYMENT WAITING_FOR_FRAUD_CHECK WAITING_FOR_CHECK_FIRST_ALLOCATION WAITING_FOR_GIFT_CARD_AUTHORIZATION"},
	{"WarehouseAllocationPolicy", "DIRECT CHECK_FIRST DIRECT_THEN_CONFIRM"},
	{"StockQuantityType", "PHYSICAL FREE_TO_ALLOCATE"},
	{"WarehouseStatus", "ACTIVE INACTIVE"},
	{"PaymentHistoryEntryStatus", "SUCCESS FAILED PENDING"},
	{"PaymentHistoryEntryType", "AUTH CAPTURE CAPTURE_PENDING CAPTURE_FAILED CAPTURE_REQUEST REFUND REFUND_REQUEST REFUND_FAILED CANCEL CANCEL_REQUEST MARKED_AS_PAID MARKED_AS_UNPAID PREPAID AUTH_PENDING ADDITIONAL_ORDER_PAYMENT INVOICE OTHER AUTH_GIFT_CARD CAPTURE_GIFT_CARD CANCEL_GIFT_CARD REFUND_GIFT_CARD"},
};

static const char *const scalars[] = {"String", "Int", "Boolean", "DateTimeTz"};

/* Fields that are of an enum; of all other scalars the type is said to be
 * String. */
static const struct {
	const char *type, *field, *is;
} enum_fields[] = {
	{"Order", "status", "OrderStatus"},
	{"DirectToConsumerOrder", "status", "OrderStatus"},
	{"DirectToConsumerOrder", "orderHoldReason", "OrderHoldReason"},
	{"Event", "objectType", "EventObjectType"},
	{"Event", "changeType", "EventChangeType"},
	{"Warehouse", "status", "WarehouseStatus"},
	{"Warehouse", "allocationPolicy", "WarehouseAllocationPolicy"},
	{"PaymentHistoryEntry", "status", "PaymentHistoryEntryStatus"},
	{"PaymentHistoryEntry", "entryType", "PaymentHistoryEntryType"},
};
/* clang-format on */
#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* The next word of a list, and what follows its colon; false: no more. */
static bool next(const char **list, char name[80], char type[80])
{
	size_t n, k;

	*list += strspn(*list, " ");
	if (!**list)
		return false;
	n = strcspn(*list, " ");
	k = strcspn(*list, ": ");
	snprintf(name, 80, "%.*s", (int)k, *list);
	snprintf(type, 80, "%.*s", k < n ? (int)(n - k - 1) : 0,
		 *list + k + (k < n));
	*list += n;
	return true;
}

static cJSON *ref(const char *kind, const char *name, cJSON *of)
{
	cJSON *v = must(cJSON_CreateObject());

	cJSON_AddStringToObject(v, "kind", kind);
	if (name)
		cJSON_AddStringToObject(v, "name", name);
	else
		cJSON_AddNullToObject(v, "name");
	if (of)
		cJSON_AddItemToObject(v, "ofType", of);
	else
		cJSON_AddNullToObject(v, "ofType");
	return v;
}

/* As Centra wraps most of them: [Type!]! */
static cJSON *wrapped(const char *name)
{
	return ref("NON_NULL", NULL,
		   ref("LIST", NULL,
		       ref("NON_NULL", NULL, ref("OBJECT", name, NULL))));
}

static const char *scalar_type(const char *type, const char *field)
{
	for (size_t i = 0; i < COUNT(enum_fields); i++)
		if (!strcmp(enum_fields[i].type, type) &&
		    !strcmp(enum_fields[i].field, field))
			return enum_fields[i].is;
	return "String";
}

/* "name:Type" words as input values. */
static void add_inputs(cJSON *to, const char *list, const char *owner)
{
	char name[80], type[80];

	while (next(&list, name, type)) {
		cJSON *v;

		if (schema_is_hidden(owner, name))
			continue;
		v = must(cJSON_CreateObject());
		cJSON_AddStringToObject(v, "name", name);
		cJSON_AddItemToObject(v, "type", wrapped(type));
		cJSON_AddItemToArray(to, v);
	}
}

static cJSON *new_type(const char *kind, const char *name)
{
	cJSON *v = must(cJSON_CreateObject());

	cJSON_AddStringToObject(v, "kind", kind);
	cJSON_AddStringToObject(v, "name", name);
	return v;
}

static cJSON *object_type(const char *type, const char *list)
{
	cJSON *v = new_type("OBJECT", type), *fields, *f, *args;
	char name[80], of[80];

	fields = cJSON_AddArrayToObject(v, "fields");
	while (next(&list, name, of)) {
		if (!strncmp(name, "__", 2) || schema_is_hidden(type, name))
			continue;
		f = must(cJSON_CreateObject());
		cJSON_AddStringToObject(f, "name", name);
		args = cJSON_AddArrayToObject(f, "args");
		for (size_t i = 0; i < COUNT(arguments); i++)
			if (!strcmp(arguments[i].type, type) &&
			    !strcmp(arguments[i].field, name))
				add_inputs(args, arguments[i].args, name);
		cJSON_AddItemToObject(f, "type",
				      wrapped(*of ? of
						  : scalar_type(type, name)));
		cJSON_AddItemToArray(fields, f);
	}
	return v;
}

static cJSON *enum_type(const char *type, const char *list)
{
	cJSON *v = new_type("ENUM", type), *values, *e;
	char name[80], of[80];

	values = cJSON_AddArrayToObject(v, "enumValues");
	while (next(&list, name, of)) {
		if (schema_is_hidden(type, name))
			continue;
		e = must(cJSON_CreateObject());
		cJSON_AddStringToObject(e, "name", name);
		cJSON_AddItemToArray(values, e);
	}
	return v;
}

cJSON *introspect_type(const char *name)
{
	const char *fields = schema_fields(name);
	cJSON *v;

	if (schema_is_hidden(name, ""))
		return NULL;
	if (fields)
		return object_type(name, fields);
	for (size_t i = 0; i < COUNT(inputs); i++)
		if (!strcmp(inputs[i].type, name)) {
			v = new_type("INPUT_OBJECT", name);
			add_inputs(cJSON_AddArrayToObject(v, "inputFields"),
				   inputs[i].members, name);
			return v;
		}
	for (size_t i = 0; i < COUNT(enums); i++)
		if (!strcmp(enums[i].type, name))
			return enum_type(name, enums[i].values);
	for (size_t i = 0; i < COUNT(scalars); i++)
		if (!strcmp(scalars[i], name))
			return new_type("SCALAR", name);
	return NULL;
}
