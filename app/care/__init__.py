"""Care 关爱帮扶: visits 走访 to people who need looking after and the next date promised to them."""
